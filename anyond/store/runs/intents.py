"""Rows of intents: what git is about to do to an attempt's branch, and what is true afterwards."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = "attempt_id, kind, name, tip, onto, waits, snapshot, created_at"


class Intent(Struct, frozen=True, kw_only=True):
    """One thing that is under way; it outlives the daemon.

    Args:
        kind: `rebase`: once it is complete, `name` is the target branch. `rename`: once git has
            done it, `name` is the branch. `merge`: `name` is the branch merged into. `reset`:
            `name` is the branch that goes back. `delete_file`: `name` is the path.
        tip: the commit of the branch before; for a merge, of the branch merged into.
        onto: the commit that the branch is put on, for a rebase or reset; the merged commit,
            for a merge.
        waits: git has stopped at a conflict, for an agent or a person to go on.
        snapshot: the ref of the state before, where an undoing needs it.
    """

    attempt_id: str
    kind: Literal["rebase", "rename", "merge", "reset", "delete_file"]
    name: str
    tip: str
    onto: str | None = None
    waits: bool = False
    snapshot: str | None = None
    created_at: str


def put(tx: Tx, intent: Intent) -> None:
    """Remember it, instead of any other of its attempt."""
    tx.execute(
        f"INSERT OR REPLACE INTO intents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            intent.attempt_id,
            intent.kind,
            intent.name,
            intent.tip,
            intent.onto,
            intent.waits,
            intent.snapshot,
            intent.created_at,
        ),
    )


def get(reader: Reader, attempt_id: str) -> Intent | None:
    """Return the intent that is under way in an attempt, if any."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM intents WHERE attempt_id = ?", (attempt_id,)
    ).fetchone()
    return None if row is None else _intent(row)


def fetch_all(reader: Reader) -> list[Intent]:
    """Everything that is under way, the oldest first."""
    rows = reader.execute(f"SELECT {_COLUMNS} FROM intents ORDER BY created_at, rowid").fetchall()
    return [_intent(row) for row in rows]


def delete(tx: Tx, attempt_id: str) -> bool:
    """It is done, or given up; returns whether there was one. Emits `intent_ended` if it waited."""
    intent = get(tx, attempt_id)
    if intent is None:
        return False
    tx.execute("DELETE FROM intents WHERE attempt_id = ?", (attempt_id,))
    if intent.waits:
        tx.emit("intent_ended", intent, attempt_id=attempt_id, key=attempt_id)
    return True


def set_waits(tx: Tx, attempt_id: str) -> None:
    """The rebase that is under way in an attempt has stopped at a conflict. Emits
    `intent_waits`.
    """
    tx.execute("UPDATE intents SET waits = 1 WHERE attempt_id = ?", (attempt_id,))
    intent = get(tx, attempt_id)
    if intent is not None:
        tx.emit("intent_waits", intent, attempt_id=attempt_id, key=attempt_id)


def fetch_waiting(reader: Reader) -> list[Intent]:
    """The rebases that have stopped at a conflict, the oldest first."""
    return [intent for intent in fetch_all(reader) if intent.waits]


def rename_targets(tx: Tx, project_id: str, old: str, new: str) -> None:
    """Rebases and merges in a project whose target is `old` now mean `new`."""
    tx.execute(
        "UPDATE intents SET name = ? WHERE kind IN ('rebase', 'merge') AND name = ?"
        " AND attempt_id IN (SELECT a.id FROM tasks t JOIN task_attempts a ON a.task_id = t.id"
        "  WHERE t.project_id = ?)",
        (new, old, project_id),
    )


def _intent(row: tuple[Any, ...]) -> Intent:
    return Intent(
        attempt_id=row[0],
        kind=row[1],
        name=row[2],
        tip=row[3],
        onto=row[4],
        waits=bool(row[5]),
        snapshot=row[6],
        created_at=row[7],
    )
