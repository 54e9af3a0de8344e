"""Options of the command, made from the declared options of the daemon."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import click

from anyond.settings.options import Option


def as_click(option: Option) -> click.Option:
    """An option of click whose value is None (or empty, if it is repeatable) if it is not given."""
    text = option.text.rstrip(".")
    if option.repeatable:
        text += ". Repeatable"
    elif option.default is not None:
        text += f"; {option.default} if not given"
    return click.Option(
        [option.flag, option.name],
        type=_type(option),
        multiple=option.repeatable,
        metavar=option.metavar,
        envvar=option.variable,
        show_envvar=True,
        help=f"{text}.",
    )


def _type(option: Option) -> click.ParamType[Any]:
    if option.bounds is not None:
        return click.IntRange(*option.bounds)
    if issubclass(option.kind, Enum):
        return click.Choice([str(one.value) for one in option.kind], case_sensitive=False)
    return click.Path(path_type=Path) if option.kind is Path else click.STRING
