"""Rows of planned worktrees: where one is being made that its attempt does not have yet."""

from __future__ import annotations

from anyond.store.engine.transaction import Reader, Tx


def get(reader: Reader, attempt_id: str) -> str | None:
    """The path that was written down for an attempt, if any was."""
    row = reader.execute(
        "SELECT path FROM planned_worktrees WHERE attempt_id = ?", (attempt_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def put(tx: Tx, attempt_id: str, path: str) -> str:
    """Write the path down, unless one was before; returns the one that counts."""
    tx.execute("INSERT OR IGNORE INTO planned_worktrees VALUES (?, ?)", (attempt_id, path))
    written = get(tx, attempt_id)
    return path if written is None else written


def delete(tx: Tx, attempt_id: str) -> None:
    """It is made, and the row of the attempt says where; no error if that was known."""
    tx.execute("DELETE FROM planned_worktrees WHERE attempt_id = ?", (attempt_id,))


def paths(reader: Reader) -> list[str]:
    """All that are written down."""
    return [path for (path,) in reader.execute("SELECT path FROM planned_worktrees")]


def attempt_ids(reader: Reader) -> list[str]:
    """Return the attempts whose worktrees are being made, or were when a daemon was killed."""
    return [id for (id,) in reader.execute("SELECT attempt_id FROM planned_worktrees")]
