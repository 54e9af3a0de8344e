"""What the runs of an attempt leave for one another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from anyond.agents.common.carried import Carried
from anyond.agents.common.core import AgentEvent
from anyond.agents.common.notices import NOTICES_MOST
from anyond.logs.conversation import Conversation
from anyond.model.rows import ExecutionProcess
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn import carrying
from anyond.operations.turn.end_reason import SilentDialogue
from anyond.store.runs import sessions
from tests.support.rows import add_attempt, add_project, add_run, asks, begin_turn, end_run


class Leaving(SilentDialogue):
    """A dialogue that has noticed something."""

    def __init__(self, left: Carried) -> None:
        self.left = left

    def finish(self) -> list[AgentEvent]:
        return []


def conversation(left: Carried) -> Conversation:
    return Conversation("x", Leaving(left), 0)


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository), made=False)


async def run_that_left(
    resources: Resources, subject: Subject, text: str, session: str
) -> ExecutionProcess:
    row = await add_run(resources, subject, asks(), session=session)
    await resources.store.write(lambda tx: sessions.keep_carried(tx, row.id, text))
    return await end_run(resources, row)


def encoded(left: Carried) -> str:
    return msgspec.json.encode(left).decode()


async def test_notices_are_those_of_the_newest_run_and_totals_those_of_the_session(
    resources: Resources, subject: Subject
) -> None:
    used = {"input_tokens": 7}
    old = msgspec.convert({"used": used, "notices": ["a"]}, Carried, strict=False)
    await run_that_left(resources, subject, encoded(old), "s1")
    await run_that_left(resources, subject, encoded(Carried(notices=("a", "b"))), "s2")
    row = await add_run(resources, subject, asks("More", "s1"))
    found = await resources.store.read(lambda r: carrying.before(r, row, "s1"))
    assert found == Carried(used=old.used, notices=("a", "b"))
    fresh = await resources.store.read(lambda r: carrying.before(r, row, None))
    assert fresh == Carried(notices=("a", "b"))


async def test_what_another_version_left_counts_as_nothing(
    resources: Resources, subject: Subject
) -> None:
    await run_that_left(resources, subject, '{"used": "much"}', "s1")
    row = await add_run(resources, subject, asks("More", "s1"))
    found = await resources.store.read(lambda r: carrying.before(r, row, "s1"))
    assert found == Carried()


async def test_a_run_adds_its_notices_to_those_it_began_with_and_keeps_a_bounded_number(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks(), session="s1")
    record = await begin_turn(resources, row, "Tea")
    known = msgspec.structs.replace(record, carried=Carried(notices=("a",)))
    await resources.store.write(lambda tx: sessions.keep_turn(tx, row.id, known.encode()))
    many = tuple(f"n{number}" for number in range(NOTICES_MOST + 5))
    left = conversation(Carried(notices=("a", *many)))
    await resources.store.write(lambda tx: carrying.keep(tx, row, left))
    await end_run(resources, row)
    later = await add_run(resources, subject, asks("More", "s1"))
    found = await resources.store.read(lambda r: carrying.before(r, later, "s1"))
    assert found.notices == ("a", *many)[:NOTICES_MOST]


async def test_a_run_that_leaves_nothing_writes_nothing(
    resources: Resources, subject: Subject
) -> None:
    row = await add_run(resources, subject, asks(), session="s1")
    await begin_turn(resources, row, "Tea")
    await resources.store.write(lambda tx: carrying.keep(tx, row, conversation(Carried())))
    await end_run(resources, row)
    later = await add_run(resources, subject, asks("More", "s1"))
    assert await resources.store.read(lambda r: sessions.carried_before(r, later.id)) == []
