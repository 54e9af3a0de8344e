"""Rows of approval requests, and the tasks that wait with them."""

from __future__ import annotations

from anyond.model.errors import Conflict
from anyond.model.http.bodies import ApprovalAnswer
from anyond.model.rows import Approval, ApprovalStatus, ProcessStatus, TaskStatus
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals, processes


def ask(tx: Tx, question: Approval) -> Approval:
    """Write a question down, once; its task needs a person's attention.

    Returns:
        The row, which may have been decided before.
    """
    row_now, fresh = approvals.insert_if_absent(tx, question)
    if fresh:
        _move(tx, row_now, TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW, row_now.created_at)
    return row_now


def answer(tx: Tx, approval_id: str, given: ApprovalAnswer, moment: str) -> tuple[Approval, bool]:
    """Decide a question; the first answer wins.

    Returns:
        The decided row, and whether this answer decided it.

    Raises:
        NotFound: there is no such question.
        Conflict: it was decided differently before.
    """
    decided, changed = approvals.decide(tx, approval_id, given, moment)
    if changed and not approvals.any_pending_in(tx, decided.task_attempt_id):
        process = processes.get(tx, decided.execution_process_id)
        if process.status is ProcessStatus.RUNNING:
            _move(tx, decided, TaskStatus.IN_REVIEW, TaskStatus.IN_PROGRESS, moment)
    return decided, changed


def time_out(tx: Tx, approval_id: str, moment: str) -> Approval | None:
    """Nobody answered in time. None if somebody did after all."""
    try:
        decided, changed = answer(
            tx, approval_id, ApprovalAnswer(status=ApprovalStatus.TIMED_OUT), moment
        )
    except Conflict:
        return None
    return decided if changed else None


def withdraw(tx: Tx, approval_id: str, reason: str, moment: str) -> None:
    """The agent no longer waits."""
    if approvals.get(tx, approval_id).status is ApprovalStatus.PENDING:
        answer(
            tx,
            approval_id,
            ApprovalAnswer(status=ApprovalStatus.DENIED, reason=reason),
            moment,
        )


def _move(tx: Tx, question: Approval, present: TaskStatus, new: TaskStatus, moment: str) -> None:
    task_id = attempts.get(tx, question.task_attempt_id).task_id
    if tasks.get(tx, task_id).status is present:
        tasks.set_status(tx, task_id, new, moment)
