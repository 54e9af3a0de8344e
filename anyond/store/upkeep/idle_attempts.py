"""Attempts at tasks that are over and at which nothing was done for long."""

from __future__ import annotations

from typing import NamedTuple

from anyond.store.engine.transaction import Reader, Tx

_LAST_PASS = "retention_date"


class IdleAttempt(NamedTuple):
    """One attempt.

    Args:
        worktree: where it is; None if it was removed, or is another data directory's.
        idle_since: when a run in it ended, or its task changed, for the last time.
        processes: the ids of its executions.
    """

    id: str
    title: str
    worktree: str | None
    idle_since: str
    processes: tuple[str, ...]


def fetch(reader: Reader, before: str) -> list[IdleAttempt]:
    """The attempts at tasks that are done or cancelled, idle since before a moment, oldest first.

    Those in which anything runs, and those of other data directories, are not among them.
    """
    rows = reader.execute(
        "SELECT * FROM (SELECT a.id, t.title,"
        " CASE WHEN a.worktree_deleted THEN NULL ELSE a.container_ref END,"
        " max(t.updated_at, ifnull((SELECT max(ifnull(p.completed_at, p.updated_at))"
        " FROM execution_processes p WHERE p.task_attempt_id = a.id), '')) AS idle_since"
        " FROM task_attempts a JOIN tasks t ON t.id = a.task_id"
        " WHERE t.status IN ('done', 'cancelled')"
        " AND NOT EXISTS (SELECT 1 FROM execution_processes p"
        " WHERE p.task_attempt_id = a.id AND p.status = 'running')"
        " AND a.id NOT IN (SELECT attempt_id FROM attempts_elsewhere))"
        " WHERE idle_since < ? ORDER BY idle_since",
        (before,),
    ).fetchall()
    return [
        IdleAttempt(id, title, worktree, since, _processes(reader, id))
        for id, title, worktree, since in rows
    ]


def take_pass(tx: Tx, date: str) -> str | None:
    """Note that there is a pass on that date; returns the date of the one before."""
    row = tx.execute("SELECT value FROM meta WHERE key = ?", (_LAST_PASS,)).fetchone()
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_LAST_PASS, date))
    return None if row is None else str(row[0])


def _processes(reader: Reader, attempt_id: str) -> tuple[str, ...]:
    rows = reader.execute(
        "SELECT id FROM execution_processes WHERE task_attempt_id = ? ORDER BY number",
        (attempt_id,),
    )
    return tuple(id for (id,) in rows)
