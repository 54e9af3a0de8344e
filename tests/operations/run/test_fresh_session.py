"""A run whose agent has lost its session is tried again in a new one, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.agents.common.core import AgentEvent, SessionLost
from anyond.logs.conversation import Conversation
from anyond.machines.ending import Ending
from anyond.model.ids import now
from anyond.model.records import Record, Stream
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ProcessStatus,
    ScriptContext,
    ScriptRequest,
)
from anyond.operations.resources import Resources
from anyond.operations.run import fresh_session
from anyond.operations.subject import Subject
from anyond.operations.turn.end_reason import SilentDialogue
from tests.support.rows import (
    add_attempt,
    add_project,
    add_run,
    asks,
    end_run,
    prompts,
    runs_script,
)


class Forgetful(SilentDialogue):
    """An agent that does not know its session."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> list[AgentEvent]:
        return [SessionLost()]


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository))


def lost() -> Conversation:
    conversation = Conversation("x", Forgetful(), 0)
    conversation.feed(Record(1, Stream.STDOUT, b"who?\n"))
    return conversation


FAILED = Ending(ProcessStatus.FAILED, 1)


async def test_it_is_due_for_a_run_that_resumed_and_did_nothing(
    resources: Resources, subject: Subject
) -> None:
    resumed = await add_run(resources, subject, asks("More", "s"))
    assert fresh_session.is_due(resumed, FAILED, lost())
    assert not fresh_session.is_due(resumed, Ending(ProcessStatus.KILLED, None), lost())
    assert not fresh_session.is_due(resumed, FAILED, None)
    silent = Conversation("x", SilentDialogue(), 0)
    assert not fresh_session.is_due(resumed, FAILED, silent)


async def test_it_is_not_due_for_a_run_that_resumed_nothing(
    resources: Resources, subject: Subject
) -> None:
    first = await add_run(resources, subject, asks("Tea"))
    assert not fresh_session.is_due(first, FAILED, lost())


async def test_the_new_run_says_all_that_was_to_be_said_and_keeps_the_chain(
    resources: Resources, subject: Subject
) -> None:
    action = asks("More", "s")
    chain = type(action)(
        typ=action.typ, next_action=runs_script("make lint", ScriptContext.CLEANUP)
    )
    old = await end_run(resources, await add_run(resources, subject, chain), ProcessStatus.FAILED)
    row = await resources.store.write(
        lambda tx: fresh_session.insert(tx, subject, old, ["and sugar", "and milk"])
    )
    request = row.executor_action.typ
    assert isinstance(request, CodingAgentInitialRequest)
    assert prompts(row.executor_action) == ["More\n\nand sugar\n\nand milk", "make lint"]
    following = row.executor_action.next_action
    assert following is not None
    assert isinstance(following.typ, ScriptRequest)
    assert row.started_at <= now()
