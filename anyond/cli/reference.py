"""The page of all commands, `docs/cli.md`, from their declarations.

Run it to write the page, or with `--check` to see how the page differs from what is declared.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from anyond.cli import main
from anyond.cli.frame.commands import common_records
from anyond.cli.frame.exit_codes import ExitCode
from anyond.generated import run
from anyond.settings.reference import table

_HEAD = """\
# The command line

<!-- Written by `make cli` from the declarations; do not edit. -->

The program is called `anyon`, and `anyond` as well. `--help` after any command tells what is here.
The daily use is told in [command-line.md](command-line.md).
"""
_MARKUP = re.compile(r"[<>*_]")
_EXTRA = re.compile(r"  \[(?P<extra>[^\]]*)\]$")


def page() -> str:
    """The whole page, in Markdown."""
    root = click.Context(main, info_name="anyon")
    return "\n".join([_HEAD, _common(), *(_section(context) for context in all_commands(root))])


def _common() -> str:
    options = [(f"`{names}`", _prose(text)) for names, text in common_records()]
    codes = [(f"{code.value}", code.text) for code in ExitCode]
    return "\n".join(
        [
            "These options stand before or after the name of a command:\n",
            table(("option", "meaning"), options),
            "Each command ends with one of these exit codes:\n",
            table(("code", "meaning"), codes),
        ]
    )


def all_commands(context: click.Context) -> Iterator[click.Context]:
    """The context of a command, and those of all commands inside it, by name."""
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from all_commands(click.Context(inner, parent=context, info_name=name))


def _section(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## `{context.command_path}`", f"```text\n{usage}\n```"]
    parts.append(_prose(cleandoc(command.help or "")))
    examples = getattr(command, "examples", ())
    if examples:
        room = max(len(line) for line, _ in examples)
        lines = [f"{line:<{room}}  # {text}" for line, text in examples]
        parts.append("\n".join(["```sh", *lines, "```"]))
    if isinstance(command, click.Group):
        parts.append(table(("command", "what it does"), _inner(context, command)).rstrip())
    parts.append(table(("option", "meaning"), _options(context)).rstrip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _inner(context: click.Context, group: click.Group) -> Iterator[tuple[str, str]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            path = f"{context.command_path} {name}"
            yield f"[`{path}`](#{path.replace(' ', '-')})", command.get_short_help_str(limit=200)


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    """Render each option with its meaning, as `--help` has it; `--help` itself is on the head."""
    for parameter in context.command.get_params(context):
        if not isinstance(parameter, click.Option) or "--help" in parameter.opts:
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            names, text = record
            yield f"`{names}`", _prose(_EXTRA.sub(r" (\g<extra>)", text))


def _prose(text: str) -> str:
    """Plain text as Markdown: what looks like markup, outside of code, stands for itself."""
    parts = text.replace("\b\n", "").split("`")
    parts[::2] = [_MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "`".join(parts)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], lambda _: page(), "make cli"))
