"""Concluding a run: what follows it, and what becomes of messages that were to follow."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from anyond.agents.common.core import (
    SessionLost,
)
from anyond.model.drafts import DraftPatch, DraftType
from anyond.model.ids import now
from anyond.model.records import Exit
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptContext,
    TaskStatus,
)
from anyond.operations import subject
from anyond.operations.run.conclude import Following
from anyond.store.board import drafts
from anyond.store.runs import processes, sessions
from tests.support.operations.concluding import BROKEN, DONE, FINISHED, Bench, heard
from tests.support.overlay import overlaid
from tests.support.rows import (
    add_run,
    asks,
    end_run,
    prompts,
    runs_script,
)


@pytest.mark.parametrize("halting", [True, False])
@pytest.mark.parametrize("changed", [True, False])
async def test_the_cleanup_follows_an_agent_that_has_changed_something(
    bench: Bench, changed: bool, halting: bool
) -> None:
    cleanup = runs_script("make lint", ScriptContext.CLEANUP)
    action = ExecutorAction(typ=asks().typ, next_action=cleanup)
    row = await bench.begun(action)
    if changed:
        bench.write()
    following = await bench.conclude(row, heard(row, FINISHED), halting=halting)
    if changed and not halting:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["make lint"]
        assert following.next.run_reason is RunReason.CLEANUP_SCRIPT
        assert await bench.task_status() is TaskStatus.IN_PROGRESS
        assert bench.notifier.commands == []
    else:
        assert following == Following()
        assert await bench.task_status() is TaskStatus.IN_REVIEW
        assert len(bench.notifier.commands) == 1


@pytest.mark.parametrize("succeeded", [True, False])
async def test_the_agent_follows_a_setup_that_succeeded_and_else_its_message_is_a_draft(
    bench: Bench, succeeded: bool
) -> None:
    await end_run(bench.resources, await add_run(bench.resources, bench.about, asks("First")))
    await bench.resources.store.write(
        lambda tx: drafts.save(
            tx, bench.about.attempt.id, DraftType.FOLLOW_UP, DraftPatch(prompt="More"), now()
        )
    )
    setup = runs_script("make", ScriptContext.SETUP, then=asks("More", "s"))
    row = await add_run(bench.resources, bench.about, setup)
    await bench.resources.store.write(
        lambda tx: drafts.take(tx, bench.about.attempt.id, row.id, now())
    )
    following = await bench.conclude(row, exit=DONE if succeeded else BROKEN)
    attempt = (await subject.read(bench.resources, bench.about.attempt.id)).attempt
    if succeeded:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["More"]
        assert attempt.setup_completed_at is not None
        # What the setup had sent is given back by whoever is to send it now.
        next_id = following.next.id
        await bench.resources.store.write(lambda tx: drafts.give_back(tx, next_id, now()))
    else:
        assert following == Following()
        assert attempt.setup_completed_at is None
        assert await bench.task_status() is TaskStatus.IN_REVIEW
    assert await bench.draft() == ("More", False)


@pytest.mark.parametrize("halting", [True, False])
async def test_what_was_queued_is_sent_at_the_end_unless_everything_is_to_stop(
    bench: Bench, halting: bool
) -> None:
    row = await add_run(bench.resources, bench.about, asks(), session="s")
    await bench.queue("And sugar")
    following = await bench.conclude(row, heard(row, FINISHED), halting=halting)
    if halting:
        assert following == Following()
        assert await bench.draft() == ("And sugar", False)
    else:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["And sugar"]
        assert await bench.draft() == ("", False)
        assert await bench.task_status() is TaskStatus.IN_PROGRESS


async def test_what_was_queued_is_not_sent_after_a_run_that_a_person_stopped(
    bench: Bench,
) -> None:
    row = await add_run(bench.resources, bench.about, asks(), session="s")
    await bench.queue("And sugar")
    await bench.resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))
    assert await bench.conclude(row, heard(row), Exit(signal=15, ended_at=1)) == Following()
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.KILLED, 143)
    assert await bench.draft() == ("And sugar", False)


@pytest.mark.parametrize("stopped", [True, False])
async def test_messages_that_were_not_received_begin_the_next_turn_or_are_a_draft(
    bench: Bench, stopped: bool
) -> None:
    row = await add_run(bench.resources, bench.about, asks(), session="s")
    await bench.steered(row, "received", "milk", "honey")
    if stopped:
        await bench.resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))
    following = await bench.conclude(row, heard(row, FINISHED, received=2))
    if stopped:
        assert following == Following()
        assert await bench.draft() == ("milk\n\nhoney", False)
    else:
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["milk\n\nhoney"]
        assert await bench.draft() == ("", False)


@pytest.mark.parametrize("halting", [True, False])
async def test_an_agent_that_has_lost_its_session_is_asked_again_in_a_new_one(
    bench: Bench, halting: bool
) -> None:
    first = await add_run(bench.resources, bench.about, asks("First"), session="s")
    await end_run(bench.resources, first)
    row = await add_run(bench.resources, bench.about, asks("More", "s"), session="s")
    await bench.steered(row, "milk")
    following = await bench.conclude(row, heard(row, SessionLost()), BROKEN, halting=halting)
    attempt_id = bench.about.attempt.id
    latest = await bench.resources.store.read(lambda r: sessions.latest_session_id(r, attempt_id))
    assert latest is None
    assert ("does not know its former session" in bench.log(row)) is not halting
    assert ("exited with code 3" in bench.log(row)) is halting
    if halting:
        assert following == Following()
        assert await bench.draft() == ("milk", False)
    else:
        assert following.next is not None
        assert isinstance(following.next.executor_action.typ, CodingAgentInitialRequest)
        assert prompts(following.next.executor_action) == ["More\n\nmilk"]


@pytest.mark.parametrize("halting", [True, False])
async def test_services_of_a_setup_script_get_a_row_or_are_ended(
    bench: Bench, halting: bool
) -> None:
    ended: list[str] = []

    async def end_services(process_id: str) -> None:
        ended.append(process_id)

    launcher = overlaid(bench.resources.launcher, end_services=end_services)
    bench.resources = replace(bench.resources, launcher=launcher)
    row = await add_run(bench.resources, bench.about, runs_script("x", then=asks("Tea")))
    left = Exit(code=0, ended_at=1, left_running=["serve", "watch"])
    following = await bench.conclude(row, exit=left, halting=halting)
    if halting:
        assert following == Following()
        assert ended == [row.id]
    else:
        assert ended == []
        assert following.services is not None
        assert processes.is_service(following.services)
        assert prompts(following.services.executor_action) == ["serve\nwatch"]
        assert following.next is not None
        assert prompts(following.next.executor_action) == ["Tea"]
