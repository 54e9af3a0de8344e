"""Services that a setup script has left running: whose they are, and when they end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from anyond.actors import attempts as attempts_module
from anyond.actors.attempt import AttemptActor
from anyond.actors.attempts import Attempts
from anyond.model.errors import Unavailable
from anyond.model.rows import ProcessStatus, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import images
from anyond.store.runs import processes
from anyond.watchers.logs import Logs
from tests.support.rows import add_attempt, add_run, runs_script
from tests.support.store.running_rows import final, told


@pytest.fixture
async def awake(resources: Resources, nursery: trio.Nursery) -> Attempts:
    return Attempts(nursery, resources, Logs(resources.store, resources.launcher))


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(30):
        while not is_so():
            await trio.sleep(0.01)  # looked at again, until the deadline


async def test_services_that_a_setup_has_left_are_ended_when_nothing_else_runs(
    awake: Attempts, about: Subject, resources: Resources
) -> None:
    project = about.project
    script = "sleep 600 >/dev/null 2>&1 & exit 0"
    row = await add_run(resources, about, runs_script(script, ScriptContext.SETUP))
    await awake.begin(row)
    assert (await final(resources, row)).status is ProcessStatus.COMPLETED
    [service] = await resources.store.read(lambda r: processes.running_of(r, about.attempt.id))
    assert processes.is_service(service)
    await until(lambda: awake.looks_after(service))
    await until(lambda: not awake.is_busy(about.attempt.id))
    other = await add_attempt(resources, project, branch="anyon/other")
    await awake.end_services(other.attempt.id, about.attempt.id)
    assert (await final(resources, service)).status is ProcessStatus.KILLED
    assert not awake.is_active(about.attempt.id)


async def test_a_setup_that_runs_again_waits_for_the_end_of_the_services_of_before(
    awake: Attempts, about: Subject, resources: Resources
) -> None:
    slow = "trap 'sleep 0.5; exit' TERM; echo $BASHPID > pid; while :; do sleep 0.05; done"
    script = f"({slow}) >/dev/null 2>&1 & while [ ! -s pid ]; do sleep 0.05; done; exit 0"
    await awake.begin(await add_run(resources, about, runs_script(script)))
    await until(lambda: not awake.is_busy(about.attempt.id))
    [former] = await resources.store.read(lambda r: processes.running_of(r, about.attempt.id))
    again = await add_run(
        resources, about, runs_script("! [ -e /proc/$(cat pid)/cwd ]  # a zombie has none")
    )
    await awake.do(about.attempt.id, lambda actor: actor.start(again))
    assert (await final(resources, former)).status is ProcessStatus.KILLED
    ended = await final(resources, again)
    assert ended.status is ProcessStatus.COMPLETED, told(resources, again)


async def test_a_service_whose_row_does_not_start_is_ended(
    awake: Attempts, about: Subject, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[str] = []

    async def place_once(_: Resources, task_id: str, __: Path) -> None:
        placed.append(task_id)
        if len(placed) > 1:
            raise Unavailable("No room.")

    monkeypatch.setattr(images, "place", place_once)
    script = f"sleep 600 >/dev/null 2>&1 & echo $! > {about.worktree}/pid; exit 0"
    setup = await add_run(resources, about, runs_script(script))
    await awake.begin(setup)
    await until(lambda: not awake.is_active(about.attempt.id))
    pid = int((about.worktree / "pid").read_text())
    assert not os.path.exists(f"/proc/{pid}/cwd")
    service, _ = await resources.store.read(lambda r: processes.of_attempt(r, about.attempt.id))
    assert processes.is_service(service)
    assert service.status is ProcessStatus.FAILED


async def test_whoever_ends_services_does_not_wait_for_ever_for_a_job(
    awake: Attempts, about: Subject, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts_module, "LEAVES_S", 0.05)

    async def hang(_: AttemptActor) -> None:
        await trio.sleep_forever()

    nursery.start_soon(awake.do, about.attempt.id, hang)
    await until(lambda: awake.is_busy(about.attempt.id))
    with trio.fail_after(10):
        await awake.end_services(about.attempt.id)
    assert awake.is_busy(about.attempt.id)
