"""The page of all settings and options, `docs/settings.md`, from their declarations.

Run it to write the page, or with `--check` to see how the page differs from what is declared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from msgspec import to_builtins

from anyond.generated import run
from anyond.model import docstrings
from anyond.model.configuration.project_settings import ProjectSettings
from anyond.model.configuration.settings import Config
from anyond.model.configuration.variables import Variable
from anyond.model.fields import Group
from anyond.model.rows import Project
from anyond.settings.declared import Setting, setting_of, settings_of
from anyond.settings.options import Option, declared_options

_HEAD = """\
# Settings

<!-- Written by `make settings` from the declarations; do not edit. -->

What a person sets is in `config.json`, in the configuration directory. `GET /api/info` shows it,
`PUT /api/config` changes any part of it, from then on; what is not possible is refused with the
name of the setting. A file that was edited is read at the next start, and at the next change: what
is not possible in it is left out with a warning, and the default is in force. Keys that are not
known are kept.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([_HEAD, *_settings(), _of_projects(), _options(), _variables()])


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; an empty one is empty."""
    heads, rows = [*heads], [[*row] for row in rows]
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *([_cell(text) for text in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _settings() -> Iterator[str]:
    for group in Group:
        alone = [s for s in settings_of(Config) if s.group is group]
        yield _section(group.value, "", (_row(s, s.name) for s in alone))
    for setting in settings_of(Config):
        if setting.object is not None:
            text = setting.text or docstrings.rendered(setting.object.__doc__ or "")
            inner = settings_of(setting.object)
            rows = (
                _row(s, f"{setting.name}.{s.name}", getattr(setting.default, s.name)) for s in inner
            )
            yield _section(f"`{setting.name}`", f"{text}\n\n", rows)


def _section(head: str, text: str, rows: Iterable[Iterable[str]]) -> str:
    return f"## {head}\n\n{text}{table(('setting', 'values', 'default', 'meaning'), rows)}"


def _row(setting: Setting, path: str, *default: Any) -> tuple[str, str, str, str]:
    [value] = default or (setting.default,)
    text = f"{setting.text} It is never shown to clients." if setting.secret else setting.text
    return f"`{path}`", values(setting), f"`{json.dumps(to_builtins(value))}`", text


def _of_projects() -> str:
    names = ProjectSettings.__struct_fields__
    return _section(
        "A project",
        "`POST /api/projects` and `PUT /api/projects/{id}` take these of one project; null keeps"
        ' what is there, "" clears a text.\n\n',
        (_row(setting_of(Project, name), name) for name in names),
    )


def _options() -> str:
    rows = (
        (
            f"`{one.flag}`",
            f"`{one.variable}`" if one.variable else "",
            _values_of_option(one),
            "" if one.default in {None, ()} else f"`{one.default}`",
            f"{one.text} Repeatable." if one.repeatable else one.text,
        )
        for one in declared_options()
    )
    heads = ("option", "variable", "values", "default", "meaning")
    return (
        "## Options of `anyon serve`\n\n"
        "What is given on the command line counts for more than a variable of the environment.\n\n"
        f"{table(heads, rows)}"
    )


def _variables() -> str:
    rows = ((f"`{variable.value}`", variable.text) for variable in Variable)
    return (
        "## Variables of the environment\n\n"
        "Those of Anyon itself; which ones agents and scripts get is told in"
        " [environment.md](environment.md).\n\n"
        f"{table(('variable', 'meaning'), rows)}"
    )


def _values_of_option(option: Option) -> str:
    if option.bounds is not None:
        return "{} to {}".format(*option.bounds)
    if issubclass(option.kind, Path):
        return "path"
    return "text" if option.kind is str else _kind(option.kind)


def values(setting: Setting) -> str:
    """Return the values that a setting can have, in a few words."""
    kinds = get_args(setting.kind) if setting.nullable else (setting.kind,)
    kinds_text = " or ".join("null" if kind is NoneType else _kind(kind) for kind in kinds)
    return f"{kinds_text} {setting.span}".rstrip()


def _kind(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    if get_origin(kind) is Annotated:
        return _kind(get_args(kind)[0])
    if get_origin(kind) is list:
        return "list of texts"
    if get_origin(kind) is dict:
        return "object of texts"
    words = {bool: "true or false", str: "text", int: "whole number", float: "number"}
    return words[kind]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], lambda _: page(), "make settings"))
