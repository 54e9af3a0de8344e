"""The tables in the shim's README, from the declarations of the shim.

Run it to write them, or with `--check` to see how the page differs from what is declared.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import NotRequired, get_args, get_origin, get_type_hints

from anyond.generated import run
from anyond.shim import control_socket, protocol, shim, supervisor
from anyond.shim.left_running import services_keeper
from anyond.shim.processes import descendants
from anyond.shim.spool import files, output

COMMAND = "make shim"

NUMBERS: tuple[tuple[ModuleType, str, str], ...] = (
    (output, "UNFINISHED_LINE_S", "seconds that an unfinished line waits for its rest"),
    (output, "TAIL", "bytes of an unfinished line that wait at most"),
    (
        supervisor,
        "BUSY_PAUSE_S",
        "seconds in which the output of a program that writes line by line gathers",
    ),
    (
        supervisor,
        "HELD",
        "bytes in memory while the disk is full, before the program has to wait",
    ),
    (supervisor, "RETRY", "seconds between two attempts to write to a full disk"),
    (supervisor, "DRAIN", "seconds that pipes may outlive the program"),
    (supervisor, "KILL_AFTER_S", "seconds between SIGTERM and SIGKILL for what is left"),
    (supervisor, "MOST_NAMED", "commands in `ended`"),
    (descendants, "SWEEP", "seconds between two looks for what is to be killed"),
    (descendants, "GIVE_UP", "seconds after which what cannot be killed is left alone"),
    (control_socket, "HEADER", "bytes of a frame's first line"),
    (control_socket, "LONGEST", "bytes of a frame"),
    (
        control_socket,
        "WAITING",
        "connections that wait for their turn, and that have not sent `hello`",
    ),
    (services_keeper, "KILL_AFTER_S", "seconds between SIGTERM and SIGKILL for services"),
    (
        services_keeper,
        "UNWATCHED",
        "seconds after which services that nobody asked for are ended",
    ),
    (services_keeper, "BACKLOG", "bytes that services wrote and nobody has read yet"),
    (shim, "REFUSED", "exit status of a shim that has started nothing"),
)
"""Constants that somebody outside of the shim notices."""

HISTORY = (
    (
        "before there was a number",
        "frames, answers, spool; whoever reaches the socket is obeyed",
    ),
    (
        "keys",
        "`hello`, `!`, `.` after the greeting if there is a key; `START`; the number in `spec.json`"
        " and `run.json`",
    ),
    (
        "a folder of its own",
        "the number in the greeting and in `exit.json`; a spec with another number is refused",
    ),
)
"""Of each protocol, from 1: since when, and what changed."""

_HELLO = (
    "hello",
    "the key",
    "must be the first frame if the spec has a key; without one it is no verb",
)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [[*heads], ["---" for _ in heads], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def commands() -> str:
    """The verbs that a shim obeys."""
    rows = [
        (verb.decode(), payload, meaning)
        for verb, (payload, meaning, _) in supervisor.COMMANDS.items()
    ]
    return table(
        ("verb", "payload", "what happens"),
        ((f"`{verb}`", *rest) for verb, *rest in (_HELLO, *rows)),
    )


def fields(file: type) -> str:
    """The fields of one of the files, by its type."""
    hints = get_type_hints(file, include_extras=True)
    return table(("field", "what it says"), ((f"`{name}`", _text(hints[name])) for name in hints))


def numbers() -> str:
    """The constants, each with its value."""
    rows = (
        (f"`{_relative(module)}.{name}`", str(getattr(module, name)), what)
        for module, name, what in NUMBERS
    )
    return table(("name", "value", "what"), rows)


def history() -> str:
    """The protocol, and what each one changed.

    Raises:
        ValueError: the newest protocol has no line, or a line has none.
    """
    if len(HISTORY) != protocol.PROTOCOL:
        raise ValueError(f"protocol {protocol.PROTOCOL} is the last, and HISTORY ends elsewhere")
    rows = ((str(number), *row) for number, row in enumerate(HISTORY, 1))
    now = f"The protocol is **{protocol.PROTOCOL}** (`protocol.py`).\n\n"
    return now + table(("protocol", "since", "what changed"), rows)


def signals() -> str:
    """The signals that a shim ignores."""
    *names, last = (number.name for number in shim.IGNORED)
    return f"A shim ignores {', '.join(names)} and {last}.\n"


PARTS = {
    "commands": commands,
    "spec.json": lambda: fields(files.Spec),
    "run.json": lambda: fields(files.Run),
    "gap.json": lambda: fields(files.Gap),
    "exit.json": lambda: fields(files.Exit),
    "signals": signals,
    "numbers": numbers,
    "history": history,
}
"""What is written into the page, by the names in its marks."""


def written(page: str) -> str:
    """`page` with each part as it is now, between its marks.

    Raises:
        ValueError: a part has no place, or more than one.
    """
    for name, make in PARTS.items():
        begin = f"<!-- Written by `{COMMAND}`; do not edit: {name} -->\n"
        end = f"<!-- The end of {name} -->\n"
        around = re.fullmatch(f"(.*{re.escape(begin)}).*({re.escape(end)}.*)", page, re.DOTALL)
        if around is None or page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"the page has no place for {name}")
        page = f"{around[1]}\n{make()}\n{around[2]}"
    return page


def main(arguments: list[str]) -> int:
    """Write the tables into the page that is named, or with `--check` say how they differ."""
    return run(arguments, written, COMMAND)


def _relative(module: ModuleType) -> str:
    return module.__name__.removeprefix("anyond.shim.")


def _text(hint: object) -> str:
    if get_origin(hint) is NotRequired:
        [hint] = get_args(hint)
    _, text = get_args(hint)
    return str(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
