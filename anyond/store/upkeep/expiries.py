"""Rows of expiries: until when the snapshots of deleted attempts are kept."""

from __future__ import annotations

from msgspec import Struct

from anyond.store.engine.transaction import Reader, Tx
from anyond.store.upkeep import days


class Expiry(Struct, frozen=True, kw_only=True):
    """The snapshots of `attempt_id` in the repository at `repo_path` may go after `due_at`, and not
    before the day of the number `due_day` (see `days`)."""

    attempt_id: str
    repo_path: str
    due_at: str
    due_day: int = 0


def put(tx: Tx, expiry: Expiry) -> None:
    """Remember it; a later one of the same attempt counts."""
    tx.execute(
        "INSERT OR REPLACE INTO expiries (attempt_id, repo_path, due_at, due_day)"
        " VALUES (?, ?, ?, ?)",
        (expiry.attempt_id, expiry.repo_path, expiry.due_at, expiry.due_day),
    )


def due(reader: Reader, now: str) -> list[Expiry]:
    """Those whose time has come, the oldest first."""
    rows = reader.execute(
        "SELECT attempt_id, repo_path, due_at, due_day FROM expiries"
        " WHERE due_at <= ? AND due_day <= ? ORDER BY due_at",
        (now, days.current(reader)),
    ).fetchall()
    return [Expiry(attempt_id=a, repo_path=b, due_at=c, due_day=d) for a, b, c, d in rows]


def delete(tx: Tx, attempt_id: str) -> None:
    """They are gone; no error if that was known."""
    tx.execute("DELETE FROM expiries WHERE attempt_id = ?", (attempt_id,))


def attempt_ids(reader: Reader) -> set[str]:
    """The deleted attempts whose snapshots are still there."""
    return {id for (id,) in reader.execute("SELECT attempt_id FROM expiries")}
