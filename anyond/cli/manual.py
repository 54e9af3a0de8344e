"""The manual page `anyon(1)`, from the declarations of the commands.

Run it to write the page, or with `--check` to see how the page differs from what is declared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from anyond.cli import main
from anyond.cli.frame.commands import common_records
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.reference import all_commands
from anyond.generated import run
from anyond.model.configuration.variables import Variable

_HEAD = r""".\" Written by `make cli` from the declarations; do not edit.
.TH ANYON 1 "" "Anyon" "Anyon"
.SH NAME
anyon \- run coding agents in worktrees of their own, and never lose their work"""


def page() -> str:
    """The whole page, in roff."""
    root = click.Context(main, info_name="anyon")
    lines = [_HEAD, ".SH SYNOPSIS", ".B anyon", r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGS\fR]..."]
    lines += [".SH OPTIONS", *_items(common_records()), ".SH COMMANDS"]
    for context in all_commands(root):
        if context.command is not main:
            lines += _command(context)
    lines += [".SH EXIT STATUS", *_items((str(code.value), code.text) for code in ExitCode)]
    lines += [".SH ENVIRONMENT", *_items((name.value, name.text) for name in Variable)]
    return "\n".join(lines) + "\n"


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f".SS {_text(usage)}"
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        yield _text(" ".join(paragraph.replace("\b\n", "").split()))
        yield ".PP"
    records = (
        parameter.get_help_record(context)
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
    )
    yield from _items(record for record in records if record is not None)
    examples = getattr(command, "examples", ())
    if examples:
        yield ".PP"
        yield "Examples:"
        yield from _items(examples)


def _items(rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Iterator[str]:
    for head, text in rows:
        yield ".TP"
        yield rf"\fB{_text(head)}\fR"
        yield _text(" ".join(text.split())) or r"\&"


def _text(text: str) -> str:
    """Plain text as roff: nothing in it is a request or an escape."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], lambda _: page(), "make cli"))
