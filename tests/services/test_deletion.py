"""What is asked of an attempt while it is deleted."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
import trio

from anyond.actors.attempt import AttemptActor
from anyond.actors.attempts import Attempts
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import NewBranchName
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.services.attempts import AttemptRequests
from anyond.services.branches import BranchRequests
from anyond.services.projects import ProjectRequests
from anyond.watchers.janitor import Janitor
from anyond.watchers.logs import Logs

REFUSED_AT_ONCE_S = 5.0
"""So long a write is held up, for whoever does not refuse at once to get behind it."""


@asynccontextmanager
async def writes_held_up(resources: Resources) -> AsyncIterator[None]:
    """All writes wait until the block ends."""
    over, begun = threading.Event(), threading.Event()

    def hold(tx: object) -> None:
        begun.set()
        over.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resources.store.write, hold)
        await trio.to_thread.run_sync(begun.wait)
        try:
            yield
        finally:
            over.set()


@asynccontextmanager
async def active_in(resources: Resources) -> AsyncIterator[Attempts]:
    async with trio.open_nursery() as nursery:
        yield Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        nursery.cancel_scope.cancel()


def deletion(resources: Resources, active: Attempts, about: Subject, what: str) -> Awaitable[None]:
    janitor = Janitor(resources)
    requests = AttemptRequests(
        resources, active, Logs(resources.store, resources.launcher), janitor
    )
    if what == "attempt":
        return requests.delete(about.attempt.id)
    if what == "task":
        return requests.delete_task(about.task.id)
    return ProjectRequests(resources, active, janitor).delete(about.project.id)


@pytest.mark.parametrize("what", ["attempt", "task", "project"])
async def test_nothing_begins_in_an_attempt_that_is_about_to_be_deleted(
    resources: Resources, about: Subject, what: str
) -> None:
    answers: list[AnyondError] = []

    async def delete() -> None:
        await deletion(resources, active, about, what)

    async def rename() -> None:
        try:
            expected = NewBranchName(new_branch_name="another")
            await branches.rename_branch(about.attempt.id, expected)
        except AnyondError as refusal:
            answers.append(refusal)
        answered.set()

    answered = trio.Event()
    async with active_in(resources) as active, trio.open_nursery() as nursery:
        branches = BranchRequests(resources, active)
        async with writes_held_up(resources):
            nursery.start_soon(delete)
            # By then it waits for the database.
            await trio.testing.wait_all_tasks_blocked(0.2)
            nursery.start_soon(rename)
            with trio.move_on_after(REFUSED_AT_ONCE_S):
                await answered.wait()
    assert [type(answer) for answer in answers] == [Busy]


@pytest.mark.parametrize("what", ["attempt", "task", "project"])
async def test_an_attempt_in_which_a_job_is_at_work_is_not_deleted(
    resources: Resources, about: Subject, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyond.actors.attempts.LEAVES_S", 0.05)
    at_work, over = trio.Event(), trio.Event()

    async def work(_: AttemptActor) -> None:
        at_work.set()
        await over.wait()

    async with active_in(resources) as active, trio.open_nursery() as nursery:
        nursery.start_soon(active.do, about.attempt.id, work)
        await at_work.wait()
        with pytest.raises(Busy):
            await deletion(resources, active, about, what)
        over.set()


@pytest.mark.parametrize("what", ["attempt", "task", "project"])
async def test_a_deletion_waits_for_a_job_that_ends_soon(
    resources: Resources, about: Subject, what: str
) -> None:
    at_work, over = trio.Event(), trio.Event()

    async def work(_: AttemptActor) -> None:
        at_work.set()
        await over.wait()

    async def delete() -> None:
        await deletion(resources, active, about, what)

    async with active_in(resources) as active:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(active.do, about.attempt.id, work)
            await at_work.wait()
            nursery.start_soon(delete)
            await trio.testing.wait_all_tasks_blocked(0.05)
            over.set()
        with pytest.raises(NotFound):
            await active.do(about.attempt.id, work)
