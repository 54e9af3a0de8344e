"""Rows of approvals: what agents asked, and the first answer, which is the only one."""

from __future__ import annotations

from typing import Any

import msgspec

from anyond.model.http.bodies import ApprovalAnswer
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.runs import AlreadyDecided
from anyond.model.rows import Approval, ApprovalStatus
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "id, execution_process_id, task_attempt_id, call, tool_name, tool_input, status, reason,"
    " answers, created_at, timeout_at, responded_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM approvals"


def insert_if_absent(tx: Tx, approval: Approval) -> tuple[Approval, bool]:
    """Write a question down, unless the same call of the same process asked it before.

    Returns the row as it is now, perhaps decided already, and whether it is new; emits
    `approval_requested` if it is. Raises `NotFound` for an unknown attempt or process.
    """
    row = tx.execute(
        f"{_SELECT} WHERE execution_process_id = ? AND call = ?",
        (approval.execution_process_id, approval.call),
    ).fetchone()
    if row is not None:
        return _approval(row), False
    attempts.place(tx, approval.task_attempt_id)
    process = tx.execute(
        "SELECT 1 FROM execution_processes WHERE id = ?", (approval.execution_process_id,)
    ).fetchone()
    if process is None:
        raise NotFound("execution process", approval.execution_process_id)
    tx.execute(
        f"INSERT INTO approvals ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            approval.id,
            approval.execution_process_id,
            approval.task_attempt_id,
            approval.call,
            approval.tool_name,
            msgspec.json.encode(approval.tool_input).decode(),
            approval.status.value,
            approval.reason,
            _encoded(approval.answers),
            approval.created_at,
            approval.timeout_at,
            approval.responded_at,
        ),
    )
    return _emit(tx, "approval_requested", approval.id), True


def get(reader: Reader, id: str) -> Approval:
    """Raises `NotFound`."""
    row = reader.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("approval", id)
    return _approval(row)


def fetch_all(reader: Reader, status: ApprovalStatus | None = None) -> list[Approval]:
    """Those with this status, or all, newest first."""
    # The status is spelled out, since a parameter cannot use the index of the pending ones.
    which = "" if status is None else f"WHERE status = '{status.value}'"
    rows = reader.execute(f"{_SELECT} {which} ORDER BY created_at DESC, rowid DESC").fetchall()
    return [_approval(row) for row in rows]


def pending(reader: Reader) -> list[Approval]:
    """Those that wait for an answer, newest first."""
    return fetch_all(reader, ApprovalStatus.PENDING)


def of_process(reader: Reader, process_id: str) -> list[Approval]:
    """All that one process asked, newest first."""
    rows = reader.execute(
        f"{_SELECT} WHERE execution_process_id = ? ORDER BY created_at DESC, rowid DESC",
        (process_id,),
    ).fetchall()
    return [_approval(row) for row in rows]


def waited(reader: Reader, id: str) -> float:
    """Seconds that daemons were there while this waited for an answer."""
    row = reader.execute("SELECT waited_s FROM approvals WHERE id = ?", (id,)).fetchone()
    return 0.0 if row is None else float(row[0])


def set_waited(tx: Tx, id: str, seconds: float) -> None:
    """So long it has waited."""
    tx.execute("UPDATE approvals SET waited_s = ? WHERE id = ?", (seconds, id))


def any_pending_in(reader: Reader, attempt_id: str) -> bool:
    """Return whether an agent of this attempt waits for an answer."""
    row = reader.execute(
        "SELECT 1 FROM approvals WHERE task_attempt_id = ? AND status = 'pending' LIMIT 1",
        (attempt_id,),
    ).fetchone()
    return row is not None


def decide(tx: Tx, id: str, answer: ApprovalAnswer, now: str) -> tuple[Approval, bool]:
    """Answer a question. The first answer wins, and the same one again changes nothing.

    Returns the decided row, and whether this call decided it; emits `approval_resolved` if it
    did. Raises `NotFound`, `Invalid` for the answer "pending", and `Conflict` of type
    `already_decided` if it was answered differently before.
    """
    if answer.status is ApprovalStatus.PENDING:
        raise Invalid("status", "must be a decision, not pending")
    old = get(tx, id)
    if old.status is not ApprovalStatus.PENDING:
        if (old.status, old.reason, old.answers) == (answer.status, answer.reason, answer.answers):
            return old, False
        raise AlreadyDecided(old.status)
    tx.execute(
        "UPDATE approvals SET status = ?, reason = ?, answers = ?, responded_at = ? WHERE id = ?",
        (answer.status.value, answer.reason, _encoded(answer.answers), now, id),
    )
    return _emit(tx, "approval_resolved", id), True


def deny_pending(tx: Tx, process_id: str, reason: str, now: str) -> list[Approval]:
    """Deny everything that a process still waits for, oldest first; returns what that was.

    Emits `approval_resolved` for each.
    """
    denial = ApprovalAnswer(status=ApprovalStatus.DENIED, reason=reason)
    ids = tx.execute(
        "SELECT id FROM approvals WHERE execution_process_id = ? AND status = 'pending'"
        " ORDER BY created_at, rowid",
        (process_id,),
    ).fetchall()
    return [decide(tx, id, denial, now)[0] for (id,) in ids]


def _emit(tx: Tx, kind: str, id: str) -> Approval:
    approval = get(tx, id)
    place = attempts.place(tx, approval.task_attempt_id)
    tx.emit(kind, approval, project_id=place.project_id, attempt_id=place.attempt_id, key=id)
    return approval


def _encoded(answers: dict[str, Any] | None) -> str | None:
    return None if answers is None else msgspec.json.encode(answers).decode()


def _approval(row: tuple[Any, ...]) -> Approval:
    return Approval(
        id=row[0],
        execution_process_id=row[1],
        task_attempt_id=row[2],
        call=row[3],
        tool_name=row[4],
        tool_input=msgspec.json.decode(row[5]),
        status=ApprovalStatus(row[6]),
        reason=row[7],
        answers=None if row[8] is None else msgspec.json.decode(row[8], type=dict[str, Any]),
        created_at=row[9],
        timeout_at=row[10],
        responded_at=row[11],
    )
