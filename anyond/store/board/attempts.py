"""Rows of attempts: each a branch and a worktree in which one task is tried."""

from __future__ import annotations

from typing import Any, NamedTuple

from anyond.model.ids import after
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import TaskAttempt
from anyond.store.board import tasks
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "a.id, a.task_id, a.container_ref, a.branch, a.target_branch, a.executor,"
    " a.worktree_deleted, a.setup_completed_at, a.created_at, a.updated_at,"
    " a.git_programs_withheld"
)


class Place(NamedTuple):
    """The owners of an attempt."""

    attempt_id: str
    task_id: str
    project_id: str


def insert(
    tx: Tx,
    *,
    id: str,
    task_id: str,
    branch: str,
    target_branch: str,
    executor: str,
    now: str,
) -> TaskAttempt:
    """A new row without a worktree; emits `attempt_created`, and `task_updated` if it matters.

    It counts as made after all others of its task, also if the clock was set back since.

    Raises `NotFound` for an unknown task.
    """
    (newest,) = tx.execute(
        "SELECT MAX(created_at) FROM task_attempts WHERE task_id = ?", (task_id,)
    ).fetchone()
    created = after(newest, now)
    with tasks.watched(tx, task_id):
        tx.execute(
            "INSERT INTO task_attempts (id, task_id, branch, target_branch, executor,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (id, task_id, branch, target_branch, executor, created, created),
        )
        return _emit(tx, "attempt_created", id)


def get(reader: Reader, id: str) -> TaskAttempt:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM task_attempts a WHERE a.id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("task attempt", id)
    return _attempt(row)


def fetch_all(reader: Reader, task_id: str | None = None) -> list[TaskAttempt]:
    """Those of one task, or of all, newest first; none if there is no such task."""
    which, parameters = ("", ()) if task_id is None else ("WHERE a.task_id = ?", (task_id,))
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM task_attempts a {which} ORDER BY a.created_at DESC, a.rowid DESC",
        parameters,
    ).fetchall()
    return [_attempt(row) for row in rows]


def of_project(reader: Reader, project_id: str) -> list[TaskAttempt]:
    """All attempts of a project's tasks, newest first."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM tasks t JOIN task_attempts a ON a.task_id = t.id"
        " WHERE t.project_id = ? ORDER BY a.created_at DESC, a.rowid DESC",
        (project_id,),
    ).fetchall()
    return [_attempt(row) for row in rows]


def by_branch(reader: Reader, project_id: str, branch: str) -> TaskAttempt | None:
    """The attempt of a project that works on this branch."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM tasks t JOIN task_attempts a ON a.task_id = t.id"
        " WHERE t.project_id = ? AND a.branch = ?"
        " ORDER BY a.created_at DESC, a.rowid DESC LIMIT 1",
        (project_id, branch),
    ).fetchone()
    return None if row is None else _attempt(row)


def by_container(reader: Reader, container_ref: str) -> TaskAttempt | None:
    """The newest attempt whose worktree is exactly at this path."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM task_attempts a WHERE a.container_ref = ?"
        " ORDER BY a.created_at DESC, a.rowid DESC LIMIT 1",
        (container_ref,),
    ).fetchone()
    return None if row is None else _attempt(row)


def containers(reader: Reader) -> list[str]:
    """The paths of all worktrees, those that were removed included."""
    rows = reader.execute(
        "SELECT container_ref FROM task_attempts WHERE container_ref IS NOT NULL"
    ).fetchall()
    return [path for (path,) in rows]


def place(reader: Reader, id: str) -> Place:
    """Raises `NotFound`."""
    row = reader.execute(
        "SELECT a.id, a.task_id, t.project_id FROM task_attempts a"
        " JOIN tasks t ON t.id = a.task_id WHERE a.id = ?",
        (id,),
    ).fetchone()
    if row is None:
        raise NotFound("task attempt", id)
    return Place(*row)


def base_commit(reader: Reader, id: str) -> str | None:
    """Return the commit where its branch left its target, as far as we have seen it. Raises
    `NotFound`.
    """
    row = reader.execute("SELECT base_commit FROM task_attempts WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("task attempt", id)
    found: str | None = row[0]
    return found


def set_base_commit(tx: Tx, id: str, commit: str | None) -> None:
    """Remember where its branch left its target; None: it has another target now. No event."""
    tx.execute("UPDATE task_attempts SET base_commit = ? WHERE id = ?", (commit, id))


def set_container(tx: Tx, id: str, container_ref: str | None, now: str) -> TaskAttempt:
    """Remember the path of its worktree. This and the following emit `attempt_updated`.

    They raise `NotFound`.
    """
    return _set(tx, id, "container_ref", container_ref, now)


def set_branch(tx: Tx, id: str, branch: str, now: str) -> TaskAttempt:
    """Follow the renaming of its branch; attempts that target the old name are set on their own."""
    return _set(tx, id, "branch", branch, now)


def set_target(tx: Tx, id: str, target_branch: str, now: str) -> TaskAttempt:
    """Change the branch that it will be merged into."""
    return _set(tx, id, "target_branch", target_branch, now)


def rename_targets(tx: Tx, project_id: str, old: str, new: str, now: str) -> None:
    """Follow the renaming of a branch that attempts of a project are to be merged into."""
    for attempt in of_project(tx, project_id):
        if attempt.target_branch == old:
            set_target(tx, attempt.id, new, now)


def set_worktree_deleted(tx: Tx, id: str, deleted: bool, now: str) -> TaskAttempt:
    """Remember that its worktree was removed, or is there again."""
    return _set(tx, id, "worktree_deleted", int(deleted), now)


def set_setup_completed(tx: Tx, id: str, at: str | None, now: str) -> TaskAttempt:
    """Remember when its setup script succeeded; None: it has to run again."""
    return _set(tx, id, "setup_completed_at", at, now)


def set_git_programs_withheld(tx: Tx, id: str, withheld: bool, now: str) -> TaskAttempt:
    """Write down whether what git runs was changed by a run and is not accepted; emits
    `attempt_updated`.
    """
    return _set(tx, id, "git_programs_withheld", int(withheld), now)


def delete(tx: Tx, id: str, now: str) -> TaskAttempt:
    """Remove it with its processes; returns its last state.

    Emits `attempt_deleted`, and `task_updated` as it matters. Raises `NotFound`.
    """
    last = get(tx, id)
    project_id = place(tx, id).project_id
    with tasks.watched(tx, last.task_id):
        tasks.orphan(tx, "SELECT ?", id, now)
        tx.execute("DELETE FROM task_attempts WHERE id = ?", (id,))
    tx.emit("attempt_deleted", last, project_id=project_id, attempt_id=id, key=id)
    return last


def _set(tx: Tx, id: str, column: str, value: object, now: str) -> TaskAttempt:
    tx.execute(
        f"UPDATE task_attempts SET {column} = ?, updated_at = ? WHERE id = ?", (value, now, id)
    )
    return _emit(tx, "attempt_updated", id)


def _emit(tx: Tx, kind: str, id: str) -> TaskAttempt:
    attempt = get(tx, id)
    tx.emit(kind, attempt, project_id=place(tx, id).project_id, attempt_id=id, key=id)
    return attempt


def _attempt(row: tuple[Any, ...]) -> TaskAttempt:
    return TaskAttempt(
        id=row[0],
        task_id=row[1],
        container_ref=row[2],
        branch=row[3],
        target_branch=row[4],
        executor=row[5],
        worktree_deleted=bool(row[6]),
        setup_completed_at=row[7],
        created_at=row[8],
        updated_at=row[9],
        git_programs_withheld=bool(row[10]),
    )
