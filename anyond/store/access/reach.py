"""The place of things in the tree of tasks: in which project, below which task."""

from __future__ import annotations

from typing import NamedTuple

from anyond.model.ids import seconds, timestamp
from anyond.store.engine.transaction import Reader, Tx

DEEPEST = 100
"""A chain of parents ends here, should there be a circle."""


class Place(NamedTuple):
    """A task, and what it belongs to."""

    task_id: str
    project_id: str


class Post(NamedTuple):
    """The place at which an execution works.

    Args:
        depth: how many agents have made the tasks from a person's down to this one.
        root_task_id: that task of a person.
    """

    attempt_id: str
    task_id: str
    project_id: str
    depth: int
    root_task_id: str


def of_task(reader: Reader, task_id: str) -> Place | None:
    row = reader.execute("SELECT id, project_id FROM tasks WHERE id = ?", (task_id,)).fetchone()
    return None if row is None else Place(*row)


def of_attempt(reader: Reader, attempt_id: str) -> Place | None:
    row = reader.execute(
        "SELECT t.id, t.project_id FROM task_attempts a JOIN tasks t ON t.id = a.task_id"
        " WHERE a.id = ?",
        (attempt_id,),
    ).fetchone()
    return None if row is None else Place(*row)


def of_process(reader: Reader, process_id: str) -> Place | None:
    row = reader.execute(
        "SELECT task_attempt_id FROM execution_processes WHERE id = ?", (process_id,)
    ).fetchone()
    return None if row is None else of_attempt(reader, row[0])


def of_approval(reader: Reader, approval_id: str) -> Place | None:
    row = reader.execute(
        "SELECT execution_process_id FROM approvals WHERE id = ?", (approval_id,)
    ).fetchone()
    return None if row is None else of_process(reader, row[0])


def post(reader: Reader, process_id: str) -> Post | None:
    """The place at which an execution works; None if it has no row any more."""
    row = reader.execute(
        "SELECT p.task_attempt_id, t.id, t.project_id, COALESCE(m.depth, 0),"
        " COALESCE(m.root_task_id, t.id)"
        " FROM execution_processes p JOIN task_attempts a ON a.id = p.task_attempt_id"
        " JOIN tasks t ON t.id = a.task_id LEFT JOIN agent_tasks m ON m.task_id = t.id"
        " WHERE p.id = ?",
        (process_id,),
    ).fetchone()
    return None if row is None else Post(*row)


def maker(reader: Reader, task_id: str) -> Post | None:
    """The place of the attempt that is the parent of a task; None if it has none."""
    row = reader.execute(
        "SELECT a.id, above.id, above.project_id, COALESCE(m.depth, 0),"
        " COALESCE(m.root_task_id, above.id)"
        " FROM tasks t JOIN task_attempts a ON a.id = t.parent_task_attempt"
        " JOIN tasks above ON above.id = a.task_id LEFT JOIN agent_tasks m ON m.task_id = above.id"
        " WHERE t.id = ?",
        (task_id,),
    ).fetchone()
    return None if row is None else Post(*row)


def is_running(reader: Reader, process_id: str) -> bool:
    """Return whether the row of an execution says that it runs."""
    found = reader.execute(
        "SELECT 1 FROM execution_processes WHERE id = ? AND status = 'running'", (process_id,)
    ).fetchone()
    return found is not None


def is_below(reader: Reader, task_id: str, above: str) -> bool:
    """Return whether a task was made below another one, at whatever depth; it is not below itself.

    A task is below another one if an attempt at that one is its parent.
    """
    current = task_id
    for _ in range(DEEPEST):
        row = reader.execute(
            "SELECT a.task_id FROM tasks t JOIN task_attempts a ON a.id = t.parent_task_attempt"
            " WHERE t.id = ?",
            (current,),
        ).fetchone()
        if row is None:
            return False
        if row[0] == above:
            return True
        current = row[0]
    return False


def record_task(tx: Tx, task_id: str, process_id: str, maker: Post, now: str) -> None:
    """Write down that an agent has made a task."""
    tx.execute(
        "INSERT INTO agent_tasks (task_id, execution_process_id, root_task_id, depth, created_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (task_id, process_id, maker.root_task_id, maker.depth + 1, now),
    )


def made_since(reader: Reader, root_task_id: str, now: str, period_s: float) -> int:
    """Return how many tasks agents have made below one of a person's, in the last `period_s`."""
    since = timestamp(seconds(now) - period_s)
    (made,) = reader.execute(
        "SELECT COUNT(*) FROM agent_tasks WHERE root_task_id = ? AND created_at > ?",
        (root_task_id, since),
    ).fetchone()
    return int(made)
