"""Rows that say up to where a person has seen an attempt, in positions of the change log."""

from __future__ import annotations

from anyond.model.http.board import Seeing, Seen
from anyond.model.refusals.requests import Invalid
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader, Tx


def get(reader: Reader, attempt_id: str) -> Seen:
    """Raises `NotFound`."""
    attempts.place(reader, attempt_id)
    row = reader.execute(
        "SELECT seen, moved FROM seen_positions WHERE task_attempt_id = ?", (attempt_id,)
    ).fetchone()
    position, moved = row or (0, 0)
    return Seen(task_attempt_id=attempt_id, position=position, moved=moved, unseen=moved > position)


def commit(reader: Reader, attempt_id: str) -> str | None:
    """The commit that the last run had left when a person looked; None if nobody did."""
    row = reader.execute(
        "SELECT seen_commit FROM seen_positions WHERE task_attempt_id = ?", (attempt_id,)
    ).fetchone()
    return None if row is None else row[0]


def see(tx: Tx, attempt_id: str, seeing: Seeing) -> Seen:
    """Move the position forward, or back to nothing; emits `seen_updated` if that changes whether
    it is unseen.

    Raises:
        NotFound: there is no such attempt.
        Invalid: the position is one that is not reached yet.
    """
    old = get(tx, attempt_id)
    (end,) = tx.execute(
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)"
    ).fetchone()
    position, moved = old.position, old.moved
    if seeing.position is not None and seeing.position > end:
        raise Invalid("position", f"must be at most {end}, where the change log is now")
    if seeing.unseen:
        # Also where nothing has moved since this was counted.
        position, moved = 0, max(1, old.moved)
    else:
        position = max(position, end if seeing.position is None else seeing.position)
    if (position, moved) == (old.position, old.moved):
        return old
    if position >= moved:
        tx.execute(
            "INSERT INTO seen_positions (task_attempt_id, moved, seen, seen_commit)"
            " VALUES (?, ?, ?, (SELECT p.after_head_commit FROM execution_processes p"
            "  WHERE p.task_attempt_id = ? AND p.after_head_commit IS NOT NULL AND p.dropped = 0"
            "  ORDER BY p.created_at DESC, p.number DESC LIMIT 1))"
            " ON CONFLICT (task_attempt_id) DO UPDATE SET moved = excluded.moved,"
            "  seen = excluded.seen, seen_commit = excluded.seen_commit",
            (attempt_id, moved, position, attempt_id),
        )
    else:  # what is new was not looked at, so the commit stays
        tx.execute(
            "INSERT INTO seen_positions (task_attempt_id, moved, seen) VALUES (?, ?, ?) ON CONFLICT"
            " (task_attempt_id) DO UPDATE SET moved = excluded.moved, seen = excluded.seen",
            (attempt_id, moved, position),
        )
    new = get(tx, attempt_id)
    if new.unseen != old.unseen:
        owner = attempts.place(tx, attempt_id)
        tx.emit(
            "seen_updated",
            new,
            project_id=owner.project_id,
            attempt_id=attempt_id,
            key=attempt_id,
        )
    return new
