"""Steering: what is written down for an agent at work, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import FollowUp, NewTag
from anyond.model.ids import now
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import CodingAgentInitialRequest, ExecutorAction
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn import steering
from anyond.store.board import tags
from anyond.store.runs import processes
from tests.support.rows import add_attempt, add_project, add_run, asks, begin_turn, end_run


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository))


async def test_a_message_is_part_of_the_row_before_anybody_is_asked(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks())
    await begin_turn(resources, row, "Tea")
    assert await steering.steer(resources, subject, row, FollowUp(prompt="Green")) is not None
    assert await steering.steer(resources, subject, row, FollowUp(prompt="Hot")) is not None
    output = await resources.store.read(lambda r: steering.sent_messages(r, row.id))
    assert [message.prompt for message in output] == ["Green", "Hot"]
    # The first prompt is one of the messages that the agent has been told.
    for received, left in ((0, ["Green", "Hot"]), (1, ["Green", "Hot"]), (2, ["Hot"]), (3, [])):
        messages = await resources.store.read(
            partial(steering.undelivered, process_id=row.id, received=received)
        )
        assert [message.prompt for message in messages] == left


async def test_the_agent_is_told_what_a_tag_stands_for_and_the_row_keeps_what_was_written(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks())
    await begin_turn(resources, row, "Tea")
    await resources.store.write(
        lambda tx: tags.insert(tx, NewTag(tag_name="leaf", content="Sencha"), "t", now())
    )
    await steering.steer(resources, subject, row, FollowUp(prompt="With @leaf."))
    [message] = await resources.store.read(lambda r: steering.sent_messages(r, row.id))
    assert (message.prompt, message.text) == ("With @leaf.", "With Sencha.")


async def test_nothing_is_written_for_a_run_that_is_over_or_is_to_be_stopped(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks())
    await begin_turn(resources, row, "Tea")
    await resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))
    assert await resources.store.read(lambda r: steering.at_work(r, subject.attempt.id)) is None
    assert await steering.steer(resources, subject, row, FollowUp(prompt="Green")) is None
    await end_run(resources, row)
    assert await steering.steer(resources, subject, row, FollowUp(prompt="Green")) is None
    assert await resources.store.read(lambda r: steering.sent_messages(r, row.id)) == []


async def test_an_agent_that_is_being_started_is_busy(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks())
    found = await resources.store.read(lambda r: steering.at_work(r, subject.attempt.id))
    assert found is not None
    assert found.id == row.id
    with pytest.raises(Busy):
        await steering.steer(resources, subject, row, FollowUp(prompt="Green"))


async def test_what_cannot_be_said_into_a_turn_is_refused(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks())
    await begin_turn(resources, row, "Tea")
    for expected, refusal, field in (
        (FollowUp(prompt="x", retry_process_id=row.id), Invalid, "steer"),
        (FollowUp(prompt="x", variant="PLAN"), Impossible, "variant"),
        (FollowUp(prompt="x", image_ids=["none"]), NotFound, "none"),
    ):
        with pytest.raises(refusal, match=field):
            await steering.steer(resources, subject, row, expected)
    assert await resources.store.read(lambda r: steering.sent_messages(r, row.id)) == []


async def test_an_agent_that_takes_no_messages_while_it_works_is_named(
    resources: Resources, subject: Subject
) -> None:
    profile = ExecutorProfileId(executor=Executor.COPILOT)
    request = CodingAgentInitialRequest(prompt="Tea", executor_profile_id=profile)
    row = await add_run(resources, subject, ExecutorAction(typ=request))
    await begin_turn(resources, row, "Tea")
    with pytest.raises(Impossible, match="COPILOT takes no messages"):
        await steering.steer(resources, subject, row, FollowUp(prompt="x"))
