"""Rows of sessions: what a run of an agent left behind for the next one."""

from __future__ import annotations

from typing import Any

from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Session
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = "execution_process_id, task_attempt_id, session_id, prompt, summary"


def upsert(tx: Tx, session: Session) -> None:
    """Write the row of its process, whether or not there is one."""
    tx.execute(
        f"INSERT INTO executor_sessions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (execution_process_id) DO UPDATE SET session_id = excluded.session_id,"
        " prompt = excluded.prompt, summary = excluded.summary",
        (
            session.execution_process_id,
            session.task_attempt_id,
            session.session_id,
            session.prompt,
            session.summary,
        ),
    )


def get(reader: Reader, process_id: str) -> Session | None:
    """Return the session that this process left behind, if any."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM executor_sessions WHERE execution_process_id = ?", (process_id,)
    ).fetchone()
    return None if row is None else _session(row)


def set_session_id(tx: Tx, process_id: str, session_id: str) -> None:
    """Remember the agent's own name for the conversation. Raises `NotFound` without a row."""
    _set(tx, process_id, "session_id", session_id)


def set_summary(tx: Tx, process_id: str, summary: str) -> None:
    """Remember the last thing the agent said. Raises `NotFound` without a row."""
    _set(tx, process_id, "summary", summary)


def keep_turn(tx: Tx, process_id: str, turn: str) -> None:
    """Remember how the agent is started, encoded. Raises `NotFound` without a row."""
    _set(tx, process_id, "turn", turn)


def stored_turn(reader: Reader, process_id: str) -> str | None:
    """Return what `keep_turn` wrote; None for scripts, and for agents that were never started."""
    row = reader.execute(
        "SELECT turn FROM executor_sessions WHERE execution_process_id = ?", (process_id,)
    ).fetchone()
    return None if row is None else row[0]


def keep_carried(tx: Tx, process_id: str, carried: str) -> None:
    """Remember what a run leaves for later ones, encoded. Raises `NotFound` without a row."""
    _set(tx, process_id, "carried", carried)


def carried_before(reader: Reader, process_id: str) -> list[tuple[str | None, str]]:
    """Return what earlier runs of the same attempt left, the newest first, those that are dropped
    too.

    Returns:
        The session of each, and what `keep_carried` wrote.
    """
    rows = reader.execute(
        "SELECT s.session_id, s.carried FROM execution_processes me"
        " JOIN execution_processes p ON p.task_attempt_id = me.task_attempt_id"
        " JOIN executor_sessions s ON s.execution_process_id = p.id"
        " WHERE me.id = ? AND s.carried IS NOT NULL"
        " AND (p.created_at, p.rowid) < (me.created_at, me.rowid)"
        " ORDER BY p.created_at DESC, p.rowid DESC",
        (process_id,),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def forget(tx: Tx, attempt_id: str, session_id: str) -> None:
    """The agent does not know that conversation any more: nobody shall try to go on with it."""
    tx.execute(
        "UPDATE executor_sessions SET session_id = NULL"
        " WHERE task_attempt_id = ? AND session_id = ?",
        (attempt_id, session_id),
    )


def latest_session_id(reader: Reader, attempt_id: str) -> str | None:
    """The conversation to go on with: of the newest agent's run that has one and is not dropped.

    None also if that was gone on with in a run that was dropped. An agent that does not fork its
    conversations would remember what a person has taken back; it is better told anew.
    """
    row = reader.execute(
        "SELECT s.session_id, EXISTS ("
        "  SELECT 1 FROM executor_sessions later"
        "  JOIN execution_processes d ON d.id = later.execution_process_id"
        "  WHERE later.task_attempt_id = s.task_attempt_id AND later.session_id = s.session_id"
        "  AND d.dropped = 1 AND (d.created_at, d.rowid) > (p.created_at, p.rowid))"
        " FROM executor_sessions s"
        " JOIN execution_processes p ON p.id = s.execution_process_id"
        " WHERE s.task_attempt_id = ? AND s.session_id IS NOT NULL"
        " AND p.run_reason = 'codingagent' AND p.dropped = 0"
        " ORDER BY p.created_at DESC, p.rowid DESC LIMIT 1",
        (attempt_id,),
    ).fetchone()
    return None if row is None or row[1] else str(row[0])


def before(reader: Reader, process_id: str) -> list[tuple[Session, str | None]]:
    """The earlier runs of the agent in the same attempt that are not dropped, the newest first.

    Returns:
        What each left behind, and its turn as `keep_turn` wrote it.
    """
    columns = ", ".join(f"s.{name.strip()}" for name in _COLUMNS.split(","))
    rows = reader.execute(
        f"SELECT {columns}, s.turn FROM execution_processes me"
        " JOIN execution_processes p ON p.task_attempt_id = me.task_attempt_id"
        " JOIN executor_sessions s ON s.execution_process_id = p.id"
        " WHERE me.id = ? AND p.run_reason = 'codingagent' AND p.dropped = 0"
        " AND (p.created_at, p.rowid) < (me.created_at, me.rowid)"
        " ORDER BY p.created_at DESC, p.rowid DESC",
        (process_id,),
    ).fetchall()
    return [(_session(row[:-1]), row[-1]) for row in rows]


def _set(tx: Tx, process_id: str, column: str, value: str) -> None:
    found = tx.execute(
        f"UPDATE executor_sessions SET {column} = ? WHERE execution_process_id = ?",
        (value, process_id),
    ).rowcount
    if not found:
        raise NotFound("session of process", process_id)


def _session(row: tuple[Any, ...]) -> Session:
    return Session(
        execution_process_id=row[0],
        task_attempt_id=row[1],
        session_id=row[2],
        prompt=row[3],
        summary=row[4],
    )
