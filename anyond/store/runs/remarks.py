"""Rows of remarks: sentences for the person that wait for the next log of their attempt."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from anyond.store.engine.transaction import Reader, Tx


class WaitingRemark(Struct, frozen=True, kw_only=True):
    """A sentence that no log of the attempt has yet.

    Args:
        is_error: whether it tells of something that went wrong.
    """

    id: int
    text: str
    is_error: bool


def put(tx: Tx, attempt_id: str, text: str, now: str, *, is_error: bool = True) -> None:
    """Leave a remark; one that waits already is not left twice."""
    tx.execute(
        "INSERT INTO remarks (attempt_id, text, is_error, created_at) SELECT ?, ?, ?, ?"
        " WHERE NOT EXISTS (SELECT 1 FROM remarks WHERE attempt_id = ? AND text = ?)",
        (attempt_id, text, int(is_error), now, attempt_id, text),
    )


def waiting(reader: Reader, attempt_id: str) -> list[WaitingRemark]:
    """The remarks that wait in an attempt, the oldest first."""
    rows = reader.execute(
        "SELECT id, text, is_error FROM remarks WHERE attempt_id = ? ORDER BY id", (attempt_id,)
    ).fetchall()
    return [WaitingRemark(id=row[0], text=row[1], is_error=bool(row[2])) for row in rows]


def delete(tx: Tx, gone: Sequence[WaitingRemark]) -> None:
    """They are in a log now."""
    for remark in gone:
        tx.execute("DELETE FROM remarks WHERE id = ?", (remark.id,))
