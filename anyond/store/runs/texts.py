"""Rows of texts that can be searched for, and up to where the change log was read for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anyond.model.http.found import FoundKind
from anyond.store.engine.transaction import Reader, Tx

_POSITION = "search_position"
_INSERT = (
    "INSERT INTO search_texts (kind, task_id, task_attempt_id, execution_process_id, entry, at,"
    " text) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_WRITTEN = "t.title || char(10) || COALESCE(t.description, '')"


class Text(NamedTuple):
    """A text of a conversation.

    Args:
        entry: the index of its entry.
        at: when it came, as in rows.
    """

    kind: FoundKind
    entry: int
    at: str
    text: str


class Unread(NamedTuple):
    """An execution whose conversation can be read, and its owners."""

    execution_process_id: str
    task_attempt_id: str
    task_id: str
    ended_at: str


def position(reader: Reader) -> int | None:
    """The position of the change log up to which all is in the index; None if nothing is."""
    row = reader.execute("SELECT value FROM meta WHERE key = ?", (_POSITION,)).fetchone()
    return None if row is None else int(row[0])


def set_position(tx: Tx, position: int) -> None:
    """All up to `position` is in the index."""
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_POSITION, position))


def unread_tasks(reader: Reader) -> list[str]:
    """The ids of the tasks whose title or description is not in the index as it is now."""
    rows = reader.execute(
        "SELECT t.id FROM tasks t LEFT JOIN search_texts s ON s.task_id = t.id AND s.kind = 'task'"
        f" WHERE s.text IS NOT {_WRITTEN} ORDER BY t.created_at, t.rowid"
    ).fetchall()
    return [task_id for (task_id,) in rows]


def read_tasks(tx: Tx, task_ids: Sequence[str]) -> None:
    """Bring titles and descriptions into the index as they are now; what is there so stays."""
    for task_id in task_ids:
        row = tx.execute(
            f"SELECT {_WRITTEN}, t.updated_at, s.text, s.id FROM tasks t LEFT JOIN search_texts s"
            " ON s.task_id = t.id AND s.kind = 'task' WHERE t.id = ?",
            (task_id,),
        ).fetchone()
        if row is None or row[0] == row[2]:
            continue
        tx.execute("DELETE FROM search_texts WHERE id = ?", (row[3],))
        tx.execute(_INSERT, (FoundKind.TASK.value, task_id, None, None, None, row[1], row[0]))


def unread_executions(reader: Reader) -> list[str]:
    """The ids of the agents' runs that are over and have no text in the index, the oldest first."""
    rows = reader.execute(
        "SELECT p.id FROM execution_processes p WHERE p.status <> 'running'"
        " AND p.run_reason = 'codingagent' AND NOT EXISTS"
        " (SELECT 1 FROM search_texts s WHERE s.execution_process_id = p.id)"
        " ORDER BY p.created_at, p.number"
    ).fetchall()
    return [execution_id for (execution_id,) in rows]


def unread(reader: Reader, execution_id: str) -> Unread | None:
    """The agent's run of that id, if it is over."""
    row = reader.execute(
        "SELECT p.id, a.id, a.task_id, p.completed_at FROM execution_processes p"
        " JOIN task_attempts a ON a.id = p.task_attempt_id WHERE p.id = ?"
        " AND p.status <> 'running' AND p.run_reason = 'codingagent'",
        (execution_id,),
    ).fetchone()
    return None if row is None else Unread(*row)


def forget_execution(tx: Tx, execution_id: str) -> None:
    """Take its texts out of the index, to begin again."""
    tx.execute("DELETE FROM search_texts WHERE execution_process_id = ?", (execution_id,))


def add(tx: Tx, run: Unread, texts: Sequence[Text]) -> None:
    """Add texts of a conversation, unless it was deleted in between."""
    there = tx.execute(
        "SELECT 1 FROM execution_processes WHERE id = ?", (run.execution_process_id,)
    ).fetchone()
    if there is None:
        return
    for text in texts:
        owners = (run.task_id, run.task_attempt_id, run.execution_process_id)
        tx.execute(_INSERT, (text.kind.value, *owners, text.entry, text.at, text.text))
