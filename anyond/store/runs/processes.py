"""Rows of execution processes: what was run in a worktree, and how it ended."""

from __future__ import annotations

from typing import Any

import msgspec

from anyond.model.ids import after
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptContext,
    ScriptRequest,
)
from anyond.store.board import attempts, drafts, tasks
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import approvals

_COLUMNS = (
    "p.id, p.task_attempt_id, p.run_reason, p.executor_action, p.before_head_commit,"
    " p.after_head_commit, p.status, p.exit_code, p.dropped, p.started_at, p.completed_at,"
    " p.created_at, p.updated_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM execution_processes p"
_NEWEST_FIRST = "ORDER BY p.created_at DESC, p.rowid DESC"
_OLDEST_FIRST = "ORDER BY p.created_at, p.rowid"
_ACTION = msgspec.json.Decoder(ExecutorAction)

UNREADABLE = ExecutorAction(
    typ=ScriptRequest(
        script="# What was started here cannot be read any more: its row is damaged.",
        context=ScriptContext.CLEANUP,
    )
)
"""Stands for an action that cannot be decoded, so that one damaged row costs nobody the others."""


def insert(
    tx: Tx,
    *,
    id: str,
    attempt_id: str,
    run_reason: RunReason,
    executor_action: ExecutorAction,
    before_head_commit: str | None = None,
    now: str,
) -> ExecutionProcess:
    """A new running row; emits `process_started`, and `task_updated` if it matters.

    Raises `NotFound` for an unknown attempt, and `Busy` if something that is not a dev server
    runs in its worktree already (a new dev server is always let in).

    It counts as made after all others of its attempt, also if the clock was set back since.
    """
    task_id = attempts.place(tx, attempt_id).task_id
    if run_reason is not RunReason.DEV_SERVER:
        for other in running_of(tx, attempt_id):
            if other.run_reason is not RunReason.DEV_SERVER:
                raise Busy.running(other.run_reason)
    (newest,) = tx.execute(
        "SELECT MAX(created_at) FROM execution_processes WHERE task_attempt_id = ?", (attempt_id,)
    ).fetchone()
    created = after(newest, now)
    with tasks.watched(tx, task_id):
        tx.execute(
            "INSERT INTO execution_processes (id, task_attempt_id, run_reason, executor_action,"
            " before_head_commit, status, started_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?)",
            (
                id,
                attempt_id,
                run_reason.value,
                msgspec.json.encode(executor_action).decode(),
                before_head_commit,
                now,
                created,
                created,
            ),
        )
        return _emit(tx, "process_started", id)


def get(reader: Reader, id: str) -> ExecutionProcess:
    """Raises `NotFound`."""
    row = reader.execute(f"{_SELECT} WHERE p.id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("execution process", id)
    return _process(row)


def of_attempt(
    reader: Reader, attempt_id: str, show_dropped: bool = False
) -> list[ExecutionProcess]:
    """All of an attempt, newest first; the dropped ones only if asked for."""
    return _select(
        reader,
        f"WHERE p.task_attempt_id = ? AND p.dropped <= ? {_NEWEST_FIRST}",
        (attempt_id, int(show_dropped)),
    )


def running(reader: Reader) -> list[ExecutionProcess]:
    """All that had not ended when last heard of, dropped ones too, oldest first."""
    return _select(reader, f"WHERE p.status = 'running' {_OLDEST_FIRST}")


def running_of(reader: Reader, attempt_id: str) -> list[ExecutionProcess]:
    """The same of one attempt."""
    return _select(
        reader,
        f"WHERE p.task_attempt_id = ? AND p.status = 'running' {_OLDEST_FIRST}",
        (attempt_id,),
    )


def running_of_task(reader: Reader, task_id: str) -> list[ExecutionProcess]:
    """Everything that runs in the attempts of a task, the oldest first."""
    return _select(
        reader,
        "JOIN task_attempts a ON a.id = p.task_attempt_id"
        f" WHERE a.task_id = ? AND p.status = 'running' {_OLDEST_FIRST}",
        (task_id,),
    )


def dev_servers_of_project(reader: Reader, project_id: str) -> list[ExecutionProcess]:
    """The dev servers that run in any attempt of a project, the oldest first; services of setup
    scripts are none."""
    rows = _select(
        reader,
        "JOIN task_attempts a ON a.id = p.task_attempt_id JOIN tasks t ON t.id = a.task_id"
        " WHERE t.project_id = ? AND p.status = 'running' AND p.run_reason = 'devserver'"
        f" {_OLDEST_FIRST}",
        (project_id,),
    )
    return [row for row in rows if not is_service(row)]


def is_service(process: ExecutionProcess) -> bool:
    """Return whether it stands for what a setup script has left running."""
    request = process.executor_action.typ
    return isinstance(request, ScriptRequest) and request.services_of is not None


def all_ids(reader: Reader) -> set[str]:
    """The ids of all processes that there are."""
    return {id for (id,) in reader.execute("SELECT id FROM execution_processes")}


def may_lack_end(reader: Reader, id: str) -> bool:
    """Return whether its archive may be of a version that wrote no last line into it."""
    row = reader.execute(
        "SELECT 1 FROM execution_processes, meta WHERE id = ? AND key = 'archives_without_end'"
        " AND number <= CAST(value AS INTEGER)",
        (id,),
    ).fetchone()
    return row is not None


def attempt_ids(reader: Reader) -> dict[str, str]:
    """Of every process, in which attempt it is."""
    return dict(reader.execute("SELECT id, task_attempt_id FROM execution_processes"))


def killed(reader: Reader) -> dict[str, str]:
    """Of every process that was killed, when."""
    return dict(
        reader.execute("SELECT id, completed_at FROM execution_processes WHERE status = 'killed'")
    )


def set_before_commit(tx: Tx, id: str, commit: str, now: str) -> ExecutionProcess:
    """Remember HEAD as it was before; emits `process_updated`. Raises `NotFound`."""
    tx.execute(
        "UPDATE execution_processes SET before_head_commit = ?, updated_at = ? WHERE id = ?",
        (commit, now, id),
    )
    return _emit(tx, "process_updated", id)


def request_stop(tx: Tx, id: str, reason: str, now: str) -> bool:
    """Remember that a running process shall end, also if the daemon ends first.

    Emits `process_updated`. Returns whether this was the first wish, which keeps its reason;
    False too if the process has ended already. Raises `NotFound`.
    """
    first = tx.execute(
        "UPDATE execution_processes SET stop_reason = ?, updated_at = ?"
        " WHERE id = ? AND status = 'running' AND stop_reason IS NULL",
        (reason, now, id),
    ).rowcount
    if not first:
        get(tx, id)
        return False
    _emit(tx, "process_updated", id)
    return True


def stop_reason(reader: Reader, id: str) -> str | None:
    """The reason why somebody wanted it to end, if anybody did. Raises `NotFound`."""
    row = reader.execute(
        "SELECT stop_reason FROM execution_processes WHERE id = ?", (id,)
    ).fetchone()
    if row is None:
        raise NotFound("execution process", id)
    reason: str | None = row[0]
    return reason


def stopping(reader: Reader) -> set[str]:
    """The ids of those that had not ended when somebody wanted them to end."""
    rows = reader.execute(
        "SELECT id FROM execution_processes WHERE status = 'running' AND stop_reason IS NOT NULL"
    )
    return {id for (id,) in rows}


def finish(
    tx: Tx,
    id: str,
    status: ProcessStatus,
    *,
    exit_code: int | None,
    after_head_commit: str | None,
    at: str,
) -> bool:
    """Write how it ended, if that was not written before; returns whether this call did it.

    Emits `process_completed` exactly once in the life of a process. Its open questions end as
    denied (`approval_resolved`), and `task_updated` follows if it matters. Raises `NotFound`.
    """
    if status is ProcessStatus.RUNNING:
        raise ValueError("a process cannot finish as running")
    process = get(tx, id)
    with tasks.watched(tx, attempts.place(tx, process.task_attempt_id).task_id):
        finished = tx.execute(
            "UPDATE execution_processes SET status = ?, exit_code = ?, after_head_commit = ?,"
            " completed_at = ?, updated_at = ? WHERE id = ? AND status = 'running'",
            (status.value, exit_code, after_head_commit, at, at, id),
        ).rowcount
        if not finished:
            return False
        approvals.deny_pending(tx, id, "The process has ended.", at)
        _emit(tx, "process_completed", id)
    return True


def correct_end(
    tx: Tx,
    id: str,
    status: ProcessStatus,
    *,
    exit_code: int | None,
    after_head_commit: str | None,
    at: str,
) -> None:
    """Write another end than was written before, since more is known of it now.

    Emits `process_updated`, and `task_updated` if it matters. Raises `NotFound`.
    """
    process = get(tx, id)
    with tasks.watched(tx, attempts.place(tx, process.task_attempt_id).task_id):
        tx.execute(
            "UPDATE execution_processes SET status = ?, exit_code = ?, after_head_commit = ?,"
            " completed_at = ?, updated_at = ? WHERE id = ? AND status <> 'running'",
            (status.value, exit_code, after_head_commit, at, at, id),
        )
        _emit(tx, "process_updated", id)


def drop_from(tx: Tx, attempt_id: str, process_id: str, now: str) -> list[str]:
    """Drop a process and all later ones of its attempt; returns the newly dropped, oldest first.

    Emits `process_updated` for each, and `task_updated` if it matters; a draft that would start
    again from one of them goes too (`draft_updated`). Raises `NotFound` if the attempt has no such
    process.
    """
    first = tx.execute(
        "SELECT created_at, rowid FROM execution_processes WHERE id = ? AND task_attempt_id = ?",
        (process_id, attempt_id),
    ).fetchone()
    if first is None:
        raise NotFound("execution process", process_id)
    with tasks.watched(tx, attempts.place(tx, attempt_id).task_id):
        dropped = [
            id
            for (id,) in tx.execute(
                "SELECT p.id FROM execution_processes p WHERE p.task_attempt_id = ?"
                f" AND p.dropped = 0 AND (p.created_at, p.rowid) >= (?, ?) {_OLDEST_FIRST}",
                (attempt_id, *first),
            )
        ]
        for id in dropped:
            _drop(tx, id, now)
    return dropped


def drop_alone(tx: Tx, id: str, now: str) -> None:
    """Drop a process, whatever came after it; emits as `drop_from`. Raises `NotFound`."""
    attempt_id = get(tx, id).task_attempt_id
    with tasks.watched(tx, attempts.place(tx, attempt_id).task_id):
        _drop(tx, id, now)


def _drop(tx: Tx, id: str, now: str) -> None:
    tx.execute("UPDATE execution_processes SET dropped = 1, updated_at = ? WHERE id = ?", (now, id))
    _emit(tx, "process_updated", id)
    drafts.forget_retry(tx, id, now)


def _emit(tx: Tx, kind: str, id: str) -> ExecutionProcess:
    process = get(tx, id)
    place = attempts.place(tx, process.task_attempt_id)
    tx.emit(
        kind,
        process,
        project_id=place.project_id,
        attempt_id=place.attempt_id,
        key=id,
        dropped=process.dropped,
    )
    return process


def _select(
    reader: Reader, clauses: str, parameters: tuple[object, ...] = ()
) -> list[ExecutionProcess]:
    return [_process(row) for row in reader.execute(f"{_SELECT} {clauses}", parameters).fetchall()]


def _action(text: Any) -> ExecutorAction:
    try:
        return _ACTION.decode(text)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return UNREADABLE


def _process(row: tuple[Any, ...]) -> ExecutionProcess:
    return ExecutionProcess(
        id=row[0],
        task_attempt_id=row[1],
        run_reason=RunReason(row[2]),
        executor_action=_action(row[3]),
        before_head_commit=row[4],
        after_head_commit=row[5],
        status=ProcessStatus(row[6]),
        exit_code=row[7],
        dropped=bool(row[8]),
        started_at=row[9],
        completed_at=row[10],
        created_at=row[11],
        updated_at=row[12],
    )
