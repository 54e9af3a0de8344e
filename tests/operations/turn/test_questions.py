"""Rows of approval requests: the task that waits with them, and who decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.model.errors import Conflict
from anyond.model.http.bodies import ApprovalAnswer
from anyond.model.ids import new_id, now
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Approval, ApprovalStatus, ExecutionProcess, TaskStatus
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn import questions
from anyond.store.board import tasks
from anyond.store.runs import approvals
from tests.support.rows import add_attempt, add_project, add_run, asks, end_run

APPROVED = ApprovalAnswer(status=ApprovalStatus.APPROVED)
DENIED = ApprovalAnswer(status=ApprovalStatus.DENIED, reason="No")


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository), made=False)


@pytest.fixture
async def row(resources: Resources, subject: Subject) -> ExecutionProcess:
    return await add_run(resources, subject, asks())


def question(row: ExecutionProcess, call: str = "c1") -> Approval:
    return Approval(
        id=new_id(),
        execution_process_id=row.id,
        task_attempt_id=row.task_attempt_id,
        call=call,
        tool_name="Bash",
        tool_input={"command": "ls"},
        status=ApprovalStatus.PENDING,
        created_at=now(),
        timeout_at=now(),
    )


async def status(resources: Resources, subject: Subject) -> TaskStatus:
    return (await resources.store.read(lambda r: tasks.get(r, subject.task.id))).status


async def test_a_task_waits_for_a_person_as_long_as_any_question_is_open(
    resources: Resources, subject: Subject, row: ExecutionProcess
) -> None:
    first, second = question(row), question(row, "c2")
    await resources.store.write(lambda tx: questions.ask(tx, first))
    await resources.store.write(lambda tx: questions.ask(tx, second))
    assert await status(resources, subject) is TaskStatus.IN_REVIEW
    await resources.store.write(lambda tx: questions.answer(tx, first.id, APPROVED, now()))
    assert await status(resources, subject) is TaskStatus.IN_REVIEW
    await resources.store.write(lambda tx: questions.answer(tx, second.id, DENIED, now()))
    assert await status(resources, subject) is TaskStatus.IN_PROGRESS


async def test_a_question_that_is_asked_again_after_a_restart_stays_as_it_was_decided(
    resources: Resources, subject: Subject, row: ExecutionProcess
) -> None:
    asked = question(row)
    await resources.store.write(lambda tx: questions.ask(tx, asked))
    await resources.store.write(lambda tx: questions.answer(tx, asked.id, APPROVED, now()))
    again = await resources.store.write(lambda tx: questions.ask(tx, asked))
    assert again.status is ApprovalStatus.APPROVED
    assert await status(resources, subject) is TaskStatus.IN_PROGRESS


async def test_the_first_answer_wins(resources: Resources, row: ExecutionProcess) -> None:
    asked = question(row)
    await resources.store.write(lambda tx: questions.ask(tx, asked))
    _, changed = await resources.store.write(
        lambda tx: questions.answer(tx, asked.id, APPROVED, now())
    )
    assert changed
    _, changed = await resources.store.write(
        lambda tx: questions.answer(tx, asked.id, APPROVED, now())
    )
    assert not changed
    with pytest.raises(Conflict):
        await resources.store.write(lambda tx: questions.answer(tx, asked.id, DENIED, now()))
    with pytest.raises(NotFound):
        await resources.store.write(lambda tx: questions.answer(tx, "none", DENIED, now()))


async def test_time_out_and_withdrawal_change_no_answer_that_was_given(
    resources: Resources, row: ExecutionProcess
) -> None:
    asked = question(row)
    await resources.store.write(lambda tx: questions.ask(tx, asked))
    await resources.store.write(lambda tx: questions.answer(tx, asked.id, APPROVED, now()))
    late = await resources.store.write(lambda tx: questions.time_out(tx, asked.id, now()))
    assert late is None
    await resources.store.write(lambda tx: questions.withdraw(tx, asked.id, "gone", now()))
    found = await resources.store.read(lambda r: approvals.get(r, asked.id))
    assert (found.status, found.reason) == (ApprovalStatus.APPROVED, None)


async def test_nobody_answered_or_nobody_waits(resources: Resources, row: ExecutionProcess) -> None:
    late, gone = question(row), question(row, "c2")
    await resources.store.write(lambda tx: questions.ask(tx, late))
    await resources.store.write(lambda tx: questions.ask(tx, gone))
    timed_out = await resources.store.write(lambda tx: questions.time_out(tx, late.id, now()))
    assert timed_out is not None
    assert timed_out.status is ApprovalStatus.TIMED_OUT
    await resources.store.write(lambda tx: questions.withdraw(tx, gone.id, "gone", now()))
    found = await resources.store.read(lambda r: approvals.get(r, gone.id))
    assert (found.status, found.reason) == (ApprovalStatus.DENIED, "gone")


async def test_the_end_of_a_run_closes_its_questions_and_no_answer_brings_its_task_back(
    resources: Resources, subject: Subject, row: ExecutionProcess
) -> None:
    asked = question(row)
    await resources.store.write(lambda tx: questions.ask(tx, asked))
    await end_run(resources, row)
    with pytest.raises(Conflict):
        await resources.store.write(lambda tx: questions.answer(tx, asked.id, APPROVED, now()))
    assert await status(resources, subject) is TaskStatus.IN_REVIEW
