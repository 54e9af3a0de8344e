"""Rows of expiries: until when the snapshots of deleted attempts are kept."""

from __future__ import annotations

from msgspec import Struct

from anyond.store.transaction import Reader, Tx


class Expiry(Struct, frozen=True, kw_only=True):
    """The snapshots of `attempt_id` in the repository at `repo_path` may go after `due_at`."""

    attempt_id: str
    repo_path: str
    due_at: str


def put(tx: Tx, expiry: Expiry) -> None:
    """Remember it; a later one of the same attempt counts."""
    tx.execute(
        "INSERT OR REPLACE INTO expiries (attempt_id, repo_path, due_at) VALUES (?, ?, ?)",
        (expiry.attempt_id, expiry.repo_path, expiry.due_at),
    )


def due(reader: Reader, now: str) -> list[Expiry]:
    """Those whose time has come, the oldest first."""
    rows = reader.execute(
        "SELECT attempt_id, repo_path, due_at FROM expiries WHERE due_at <= ? ORDER BY due_at",
        (now,),
    ).fetchall()
    return [Expiry(attempt_id=row[0], repo_path=row[1], due_at=row[2]) for row in rows]


def delete(tx: Tx, attempt_id: str) -> None:
    """They are gone; no error if that was known."""
    tx.execute("DELETE FROM expiries WHERE attempt_id = ?", (attempt_id,))
