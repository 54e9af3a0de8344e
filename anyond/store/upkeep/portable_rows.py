"""Rows of all that a person has, as objects that another database can take in.

The tables are found by what they refer to, so that one that a later version adds comes along. What
belongs to this machine only is left out, with the reason in `OF_THIS_MACHINE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from anyond.store.engine.transaction import Reader, Tx

Row = Mapping[str, Any]

ROOTS = ("tags", "images", "projects", "tasks", "task_attempts", "execution_processes")
"""The tables that others refer to, each after those that it refers to itself."""

OF_THIS_MACHINE: Mapping[str, str] = {
    "launches": "the keys and pids of shims",
    "intents": "what git was about to do here",
    "planned_worktrees": "places on this disk",
    "attempts_elsewhere": "other data directories of this machine",
    "git_programs": "what its person has accepted for a repository on this disk",
    "git_programs_of_worktrees": "what was accepted for a worktree on this disk",
    "attempt_numbers": "each database gives numbers of its own",
}

_STRONGEST = ("execution_processes", "task_attempts", "tasks", "projects", "images", "tags")


class Table(NamedTuple):
    """A table whose rows go along.

    Args:
        columns: without the number that the database gives to a row itself.
        parent: the table and the column by which a row belongs to another one, if it does.
        has_key: whether a row can be told from others, so that it is not taken in twice.
    """

    name: str
    columns: tuple[str, ...]
    parent: tuple[str, str] | None
    has_key: bool


def tables(reader: Reader) -> list[Table]:
    """All tables whose rows go along, each after those that it refers to."""
    names = reader.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    others = [name for (name,) in names.fetchall() if name not in ROOTS]
    found = [_table(reader, name) for name in ROOTS]
    for name in others:
        table = _table(reader, name)
        if table.parent is not None and name not in OF_THIS_MACHINE:
            found.append(table)
    return found


def rows(reader: Reader, table: Table) -> Iterator[dict[str, Any]]:
    """The rows of a table, in the order in which they were made."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    order = "rowid" if _has_rowid(reader, table.name) else f'"{table.columns[0]}"'
    for row in reader.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}'):
        yield dict(zip(table.columns, row, strict=True))


def insert(tx: Tx, table: Table, row: Row) -> bool:
    """Take in a row, unless it is here; returns whether it was not.

    Columns that this version does not know are left out.

    Raises:
        sqlite3.IntegrityError: it refers to something that is not here, or has a value that no
            row may have.
    """
    known = [name for name in table.columns if name in row]
    names = ", ".join(f'"{name}"' for name in known)
    marks = ", ".join("?" for _ in known)
    done = tx.execute(
        f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING',
        [row[name] for name in known],
    )
    return bool(done.rowcount)


def _table(reader: Reader, name: str) -> Table:
    columns, keys, numbered = [], [], False
    required = set()
    for _, column, kind, not_null, _, key in reader.execute(f'PRAGMA table_info("{name}")'):
        if not_null or key:
            required.add(column)
        if key and kind == "INTEGER":
            numbered = True
            continue
        columns.append(column)
        if key:
            keys.append(column)
    references = [
        (row[2], row[3])
        for row in reader.execute(f'PRAGMA foreign_key_list("{name}")')
        if row[2] in ROOTS and row[3] in required
    ]
    references.sort(key=lambda reference: _STRONGEST.index(reference[0]))
    has_key = bool(keys) or not numbered or name == "execution_processes"
    return Table(name, tuple(columns), references[0] if references else None, has_key)


def _has_rowid(reader: Reader, name: str) -> bool:
    (sql,) = reader.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return "WITHOUT ROWID" not in sql.upper()
