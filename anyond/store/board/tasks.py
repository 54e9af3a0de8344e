"""Rows of tasks, and what the rows of their attempts, processes and merges say about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from anyond.model.http.bodies import NewTask, TaskPatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import Task, TaskStatus, TaskWithAttemptStatus
from anyond.store.board import images
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "t.id, t.project_id, t.title, t.description, t.status, t.parent_task_attempt,"
    " t.created_at, t.updated_at"
)

# One statement for one task and for all of a project, so that the two cannot disagree. Each
# search is one seek in an index; aggregates over joins were measured, and are slower. A "run" is
# a process that is part of a chain, which a dev server is not.
WITH_STATUS = f"""
SELECT {_COLUMNS},
       EXISTS (SELECT 1
               FROM task_attempts a CROSS JOIN execution_processes p ON p.task_attempt_id = a.id
               WHERE a.task_id = t.id AND p.status = 'running' AND p.run_reason <> 'devserver'),
       EXISTS (SELECT 1
               FROM task_attempts a CROSS JOIN merges m ON m.task_attempt_id = a.id
               WHERE a.task_id = t.id AND (m.merge_type = 'direct' OR m.pr_status = 'merged')),
       COALESCE((SELECT p.status IN ('failed', 'killed')
                 FROM execution_processes p
                 WHERE p.task_attempt_id = newest.id AND p.run_reason <> 'devserver'
                       AND p.dropped = 0
                 ORDER BY p.created_at DESC, p.rowid DESC LIMIT 1), 0),
       COALESCE(newest.executor, '')
FROM tasks t
LEFT JOIN task_attempts newest ON newest.rowid =
    (SELECT a.rowid FROM task_attempts a WHERE a.task_id = t.id
     ORDER BY a.created_at DESC, a.rowid DESC LIMIT 1)
WHERE {{which}}
ORDER BY t.created_at DESC, t.rowid DESC
"""
_STATUS_OF_ONE = WITH_STATUS.format(which="t.id = ?")
_STATUS_OF_PROJECT = WITH_STATUS.format(which="t.project_id = ?")
_STATUS_OF_PAGE = (
    WITH_STATUS.format(which="t.project_id = ? AND (t.created_at, t.rowid) < (?, ?)") + "LIMIT ?"
)
_AFTER_ALL = ("\U0010ffff", 2**63 - 1)

_STATUSES = {status.value: status for status in TaskStatus}


def insert(tx: Tx, new: NewTask, id: str, now: str) -> TaskWithAttemptStatus:
    """A new row with status `todo`; emits `task_created`.

    Raises `Invalid` for an empty title, `NotFound` for an unknown project, parent attempt or image.
    """
    _refuse_empty(new.title)
    if tx.execute("SELECT 1 FROM projects WHERE id = ?", (new.project_id,)).fetchone() is None:
        raise NotFound("project", new.project_id)
    parent = _existing_parent(tx, new.parent_task_attempt)
    tx.execute(
        "INSERT INTO tasks (id, project_id, title, description, status, parent_task_attempt,"
        " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            id,
            new.project_id,
            new.title,
            new.description or None,
            TaskStatus.TODO.value,
            parent,
            now,
            now,
        ),
    )
    images.link(tx, id, new.image_ids or (), now)
    return _emit(tx, "task_created", with_status(tx, id))


def get(reader: Reader, id: str) -> Task:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM tasks t WHERE t.id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("task", id)
    return _task(row)


def children(reader: Reader, attempt_id: str) -> list[Task]:
    """The tasks that have this attempt as their parent, newest first."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM tasks t WHERE t.parent_task_attempt = ?"
        " ORDER BY t.created_at DESC, t.rowid DESC",
        (attempt_id,),
    ).fetchall()
    return [_task(row) for row in rows]


def with_status(reader: Reader, id: str) -> TaskWithAttemptStatus:
    """The task and what its attempts say about it. Raises `NotFound`."""
    row = reader.execute(_STATUS_OF_ONE, (id,)).fetchone()
    if row is None:
        raise NotFound("task", id)
    return status_of_row(row)


def all_with_status(reader: Reader, project_id: str) -> list[TaskWithAttemptStatus]:
    """All tasks of a project, newest first, in one query; none if there is no such project."""
    return list(each_with_status(reader, project_id))


def each_with_status(reader: Reader, project_id: str) -> Iterator[TaskWithAttemptStatus]:
    """The same one by one."""
    return map(status_of_row, reader.execute(_STATUS_OF_PROJECT, (project_id,)))


def page_with_status(
    reader: Reader, project_id: str, limit: int, after: tuple[str, int] | None
) -> list[TaskWithAttemptStatus]:
    """Some tasks of a project, newest first, with what their attempts say.

    Args:
        limit: how many at most.
        after: the `place` of the last task of the page before; None for the first page.
    """
    rows = reader.execute(_STATUS_OF_PAGE, (project_id, *(after or _AFTER_ALL), limit))
    return [status_of_row(row) for row in rows]


def place(reader: Reader, id: str) -> tuple[str, int]:
    """The place of a task among those of its project, which outlives the task. Raises
    `NotFound`.
    """
    row = reader.execute("SELECT created_at, rowid FROM tasks WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("task", id)
    return str(row[0]), int(row[1])


def patch(tx: Tx, id: str, changes: TaskPatch, now: str) -> TaskWithAttemptStatus:
    """Change what `changes` names: None keeps, "" clears; emits `task_updated`.

    Raises `NotFound`, also for an unknown parent attempt or image, and `Invalid` for an empty
    title.
    """
    old = get(tx, id)
    if changes.title is not None:
        _refuse_empty(changes.title)
    description, parent = old.description, old.parent_task_attempt
    if changes.description is not None:
        description = changes.description or None
    if changes.parent_task_attempt is not None:
        parent = _existing_parent(tx, changes.parent_task_attempt)
    tx.execute(
        "UPDATE tasks SET title = ?, description = ?, status = ?, parent_task_attempt = ?,"
        " updated_at = ? WHERE id = ?",
        (
            old.title if changes.title is None else changes.title,
            description,
            (changes.status or old.status).value,
            parent,
            now,
            id,
        ),
    )
    if changes.image_ids is not None:
        images.replace(tx, id, changes.image_ids, now)
    return _emit(tx, "task_updated", with_status(tx, id))


def set_status(tx: Tx, id: str, status: TaskStatus, now: str) -> TaskWithAttemptStatus:
    """Move it to `status`; emits `task_updated`, unless it is there already. Raises `NotFound`."""
    old = with_status(tx, id)
    if old.status == status:
        return old
    tx.execute("UPDATE tasks SET status = ?, updated_at = ? WHERE id = ?", (status.value, now, id))
    return _emit(tx, "task_updated", with_status(tx, id))


def delete(tx: Tx, id: str, now: str) -> TaskWithAttemptStatus:
    """Remove it with its attempts and processes; returns its last state.

    Emits `task_deleted`, and `task_updated` for tasks that lose their parent attempt. Raises
    `NotFound`.
    """
    last = with_status(tx, id)
    orphan(tx, "SELECT id FROM task_attempts WHERE task_id = ?", id, now, stay="t.id <> ?")
    tx.execute("DELETE FROM tasks WHERE id = ?", (id,))
    return _emit(tx, "task_deleted", last)


def delete_of_project(tx: Tx, project_id: str, now: str) -> None:
    """Remove all tasks of a project as `delete` does, newest first."""
    last = all_with_status(tx, project_id)
    orphan(
        tx,
        "SELECT a.id FROM task_attempts a JOIN tasks o ON o.id = a.task_id WHERE o.project_id = ?",
        project_id,
        now,
        stay="t.project_id <> ?",
    )
    tx.execute("DELETE FROM tasks WHERE project_id = ?", (project_id,))
    for task in last:
        _emit(tx, "task_deleted", task)


def orphan(tx: Tx, attempts: str, key: str, now: str, *, stay: str = "? IS NOT NULL") -> None:
    """Take attempts that are about to go away from the tasks that have them as their parent.

    Args:
        attempts: a query with the parameter `key` that selects the attempts' ids.
        stay: a condition with the parameter `key` that holds for the tasks that are left.
    """
    children = tx.execute(
        f"SELECT t.id FROM tasks t WHERE t.parent_task_attempt IN ({attempts}) AND {stay}",
        (key, key),
    ).fetchall()
    for (child,) in children:
        tx.execute(
            "UPDATE tasks SET parent_task_attempt = NULL, updated_at = ? WHERE id = ?", (now, child)
        )
        _emit(tx, "task_updated", with_status(tx, child))


@contextmanager
def watched(tx: Tx, id: str) -> Iterator[TaskWithAttemptStatus]:
    """Emit `task_updated` at the end of the block if what its attempts say has changed in it."""
    before = with_status(tx, id)
    yield before
    after = with_status(tx, id)
    if after != before:
        _emit(tx, "task_updated", after)


def _emit(tx: Tx, kind: str, task: TaskWithAttemptStatus) -> TaskWithAttemptStatus:
    tx.emit(kind, task, project_id=task.project_id, key=task.id)
    return task


def _refuse_empty(title: str) -> None:
    if not title.strip():
        raise Invalid("title", "must not be empty")


def _existing_parent(tx: Tx, attempt_id: str | None) -> str | None:
    if not attempt_id:
        return None
    if tx.execute("SELECT 1 FROM task_attempts WHERE id = ?", (attempt_id,)).fetchone() is None:
        raise NotFound("task attempt", attempt_id)
    return attempt_id


def _task(row: tuple[Any, ...]) -> Task:
    return Task(
        id=row[0],
        project_id=row[1],
        title=row[2],
        description=row[3],
        status=_STATUSES[row[4]],
        parent_task_attempt=row[5],
        created_at=row[6],
        updated_at=row[7],
    )


def status_of_row(row: Sequence[Any]) -> TaskWithAttemptStatus:
    """The task of a row of `WITH_STATUS`."""
    return TaskWithAttemptStatus(
        id=row[0],
        project_id=row[1],
        title=row[2],
        description=row[3],
        status=_STATUSES[row[4]],
        parent_task_attempt=row[5],
        created_at=row[6],
        updated_at=row[7],
        has_in_progress_attempt=bool(row[8]),
        has_merged_attempt=bool(row[9]),
        last_attempt_failed=bool(row[10]),
        executor=row[11],
    )
