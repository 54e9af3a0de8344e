"""Queued drafts: each becomes a run once, and is a draft again if that never started."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.ids import now
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ProcessStatus, RunReason
from anyond.operations.resources import Resources
from anyond.operations.run import queue
from anyond.operations.subject import Subject
from anyond.operations.turn import undelivered
from anyond.store.board import drafts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from tests.support.rows import (
    add_attempt,
    add_project,
    add_run,
    asks,
    end_run,
    prompts,
    runs_script,
)


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository))


async def queue_draft(resources: Resources, subject: Subject, prompt: str) -> None:
    attempt_id = subject.attempt.id

    def work(tx: Tx) -> None:
        drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, DraftPatch(prompt=prompt), now())
        drafts.queue(tx, attempt_id, QueueWish(queued=True), now())

    await resources.store.write(work)


async def draft(resources: Resources, subject: Subject) -> tuple[str, bool]:
    found = await resources.store.read(
        lambda r: drafts.get(r, subject.attempt.id, DraftType.FOLLOW_UP)
    )
    return found.prompt, found.queued


async def test_a_queued_draft_is_sent_once(resources: Resources, subject: Subject) -> None:
    await end_run(resources, await add_run(resources, subject, asks(), session="s"))
    await queue_draft(resources, subject, "Next")
    row = await queue.send_queued(resources, subject)
    assert row is not None
    assert prompts(row.executor_action) == ["Next"]
    assert await draft(resources, subject) == ("", False)
    await end_run(resources, row)
    assert await queue.send_queued(resources, subject) is None


async def test_what_is_not_queued_is_not_sent(resources: Resources, subject: Subject) -> None:
    await end_run(resources, await add_run(resources, subject, asks()))
    attempt_id = subject.attempt.id
    patch = DraftPatch(prompt="Not yet")
    await resources.store.write(
        lambda tx: drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, patch, now())
    )
    assert await queue.send_queued(resources, subject) is None
    assert await draft(resources, subject) == ("Not yet", False)


async def test_nothing_follows_a_setup_script_that_was_the_last(
    resources: Resources, subject: Subject
) -> None:
    script = await add_run(resources, subject, runs_script("false", then=asks()))
    await end_run(resources, script, ProcessStatus.FAILED)
    await queue_draft(resources, subject, "Next")
    sent = await resources.store.write(
        lambda tx: queue.send(tx, subject, after=RunReason.SETUP_SCRIPT)
    )
    assert sent is None
    assert await draft(resources, subject) == ("Next", True)


async def test_it_stays_queued_while_somebody_else_runs(
    resources: Resources, subject: Subject
) -> None:
    await add_run(resources, subject, asks())
    await queue_draft(resources, subject, "Next")
    with pytest.raises(Busy):
        await queue.send_queued(resources, subject)
    assert await draft(resources, subject) == ("Next", True)


async def test_a_run_that_never_started_gives_its_draft_back(
    resources: Resources, subject: Subject
) -> None:
    await end_run(resources, await add_run(resources, subject, asks()))
    await queue_draft(resources, subject, "Next")
    row = await queue.send_queued(resources, subject)
    assert row is not None
    await resources.store.write(lambda tx: undelivered.give_back(tx, row, now()))
    assert await draft(resources, subject) == ("Next", False)


async def test_what_was_to_follow_a_setup_script_that_failed_is_a_draft_after_what_is_there(
    resources: Resources, subject: Subject
) -> None:
    await end_run(resources, await add_run(resources, subject, asks("Tea")))
    script = await add_run(resources, subject, runs_script("false", then=asks("More", "s")))
    attempt_id = subject.attempt.id

    def work(tx: Tx) -> None:
        patch = DraftPatch(prompt="Written meanwhile")
        drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, patch, now())
        undelivered.give_back(tx, script, now())

    await resources.store.write(work)
    assert await draft(resources, subject) == ("Written meanwhile\n\nMore", False)


async def test_what_an_attempt_begins_with_is_no_draft_since_its_task_says_it(
    resources: Resources, subject: Subject
) -> None:
    script = await add_run(resources, subject, runs_script("false", then=asks("Tea")))
    await resources.store.write(lambda tx: undelivered.give_back(tx, script, now()))
    assert await draft(resources, subject) == ("", False)


async def test_what_is_asked_again_after_a_setup_is_no_draft_since_its_run_says_it(
    resources: Resources, subject: Subject
) -> None:
    failed = await add_run(resources, subject, asks("Tea"))
    await end_run(resources, failed, ProcessStatus.FAILED)
    script = await add_run(resources, subject, runs_script("false", then=asks("Tea")))
    await resources.store.write(lambda tx: undelivered.give_back(tx, script, now()))
    assert await draft(resources, subject) == ("", False)
    assert (await resources.store.read(lambda r: processes.get(r, failed.id))).status is (
        ProcessStatus.FAILED
    )
