"""Diagrams of the state tables; run it to write or to check the page that shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any

from anyond.generated import run
from anyond.machines import attempt_table, process, sign_in
from anyond.machines.table import Table, Transition

TABLES: list[tuple[Table[Any], str]] = [
    (
        attempt_table.TABLE,
        "Who is at work in the worktree of an attempt (`anyond/machines/attempt.py`). The machine\n"
        "also remembers who waits, and for what.",
    ),
    (
        process.TABLE,
        "How an execution ends (`anyond/machines/process.py`). Each step has a deadline.",
    ),
    (sign_in.TABLE, "How a sign-in with GitHub stands (`anyond/machines/sign_in.py`)."),
]

_HEAD = """\
# The machines

Made from the state tables in `anyond/machines/` by `make machines`. A machine does what its table
says and nothing else. The pictures show what changes the state; the tables have all. Of several
rows for one event the first counts whose condition holds. An event that has no row in a state
cannot come there: the machine refuses it, and its actor fails and is replaced.
"""


def page() -> str:
    """All machines: a picture of each, and its table."""
    return "\n".join([_HEAD, *(_chapter(table, subject) for table, subject in TABLES)])


def _chapter(table: Table[Any], subject: str) -> str:
    lines = [f"## {table.name[0].upper()}{table.name[1:]}", "", subject, "", *_picture(table), ""]
    return "\n".join([*lines, *_rows(table), ""])


def _picture(table: Table[Any]) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {table.start.name}"
    for transition in table:
        if transition.to is not transition.state:
            yield f"    {transition.state.name} --> {transition.to.name}: {_label(transition)}"
    yield "```"


def _label(transition: Transition[Any]) -> str:
    row = transition.row
    condition = f" [{row.when.name}]" if row.when is not None else ""
    commands = ", ".join(type_.__name__ for type_ in transition.commands)
    return f"{row.event.__name__}{condition}" + (f" / {commands}" if commands else "")


def _rows(table: Table[Any]) -> Iterator[str]:
    yield "| in | event | if | then in | what is done | commands |"
    yield "|---|---|---|---|---|---|"
    for row in table.rows:
        commands = ", ".join(
            dict.fromkeys(f"`{type_.__name__}`" for action in row.then for type_ in action.commands)
        )
        cells = [
            ", ".join(state.name for state in row.states),
            f"`{row.event.__name__}`",
            row.when.name if row.when is not None else "",
            _to(row.to),
            ", ".join(action.name for action in row.then),
            commands,
        ]
        yield f"| {' | '.join(cells)} |".replace("|  ", "| ")


def _to(state: Enum | None) -> str:
    return state.name if state is not None else "the same"


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], lambda _: page(), "make machines"))
