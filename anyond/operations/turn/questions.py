"""Rows of approval requests, and the tasks that wait with them."""

from __future__ import annotations

from anyond.model.errors import Conflict
from anyond.model.http.bodies import ApprovalAnswer
from anyond.model.http.rules import ApprovalScope, RuleMatch
from anyond.model.ids import new_id
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import Approval, ApprovalStatus, ProcessStatus, TaskStatus
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approval_rules, approvals, processes

_YES = ApprovalAnswer(status=ApprovalStatus.APPROVED)


def ask(tx: Tx, question: Approval) -> Approval:
    """Write a question down, once; its task needs a person's attention, unless a rule says yes.

    Returns:
        The row, which may have been decided before, or by a rule.
    """
    row_now, fresh = approvals.insert_if_absent(tx, question)
    if fresh and (rule := approval_rules.allows(tx, row_now)) is not None:
        approval_rules.count_use(tx, rule.id)
        return approvals.decide(tx, row_now.id, _YES, row_now.created_at)[0]
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


def answer_and_allow(
    tx: Tx, approval_id: str, given: ApprovalAnswer, moment: str
) -> tuple[Approval, list[Approval]]:
    """Decide a question, and others that a yes with a reach decides, too.

    Returns:
        The decided row, and all rows that this answer has decided.

    Raises:
        NotFound, Conflict: see `answer`.
        Invalid: a reach is given to a no, or to an answer of a question with choices.
    """
    scope = given.scope or ApprovalScope.ONCE
    asked = approvals.get(tx, approval_id)
    if scope is not ApprovalScope.ONCE:
        _refuse_reach(asked, given)
    decided, changed = answer(tx, approval_id, given, moment)
    settled = [decided] if changed else []
    if scope is ApprovalScope.ONCE or not changed:
        return decided, settled
    match = given.match or (RuleMatch.SAME if _is_command(asked) else RuleMatch.TOOL)
    rule = approval_rules.insert(tx, decided, scope, match, id=new_id(), now=moment)
    for other in approvals.pending(tx):
        if (found := approval_rules.allows(tx, other)) is not None and found.id == rule.id:
            approval_rules.count_use(tx, rule.id)
            settled.append(answer(tx, other.id, _YES, moment)[0])
    return decided, settled


def _refuse_reach(asked: Approval, given: ApprovalAnswer) -> None:
    if given.status is not ApprovalStatus.APPROVED:
        raise Invalid("scope", "must be once for a no")
    choices = isinstance(asked.tool_input, dict) and asked.tool_input.get("questions")
    if given.answers or choices:
        raise Invalid("scope", "must be once for a question with choices")


def _is_command(asked: Approval) -> bool:
    given = asked.tool_input
    return isinstance(given, dict) and isinstance(given.get("command"), str | list)


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
