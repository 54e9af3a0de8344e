"""Attempts that are active: who is let in, what a stop ends, and what is kept inactive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from anyond.actors import attempt as attempt_module
from anyond.actors.attempt import AttemptActor
from anyond.actors.attempts import Attempts
from anyond.git.commits import commit
from anyond.model.errors import Unavailable
from anyond.model.ids import now
from anyond.model.refusals.runs import Busy, Stopped
from anyond.model.rows import ExecutionProcess, ProcessStatus, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import images
from anyond.store.runs import processes
from anyond.watchers.logs import Logs
from tests.support.rows import add_run, runs_script
from tests.support.store.running_rows import final, told

FOREVER = "exec sleep 600"
Job = Callable[[AttemptActor], Awaitable[object]]


@pytest.fixture
async def awake(resources: Resources, nursery: trio.Nursery) -> Attempts:
    return Attempts(nursery, resources, Logs(resources.store, resources.launcher))


def waits_for(event: trio.Event) -> Job:
    async def work(_: AttemptActor) -> str:
        await event.wait()
        return "done"

    return work


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(30):
        while not is_so():
            await trio.sleep(0.01)  # looked at again, until the deadline


async def status(resources: Resources, row: ExecutionProcess) -> ProcessStatus:
    return (await resources.store.read(lambda r: processes.get(r, row.id))).status


async def test_one_job_is_at_work_and_what_is_patient_waits_for_its_end(
    awake: Attempts, about: Subject, nursery: trio.Nursery
) -> None:
    id, leave, later = about.attempt.id, trio.Event(), trio.Event()
    results: list[object] = []

    async def first() -> None:
        results.append(await awake.do(id, waits_for(leave)))

    async def patient(_: AttemptActor) -> None:
        later.set()

    assert not awake.is_active(id)
    assert not awake.is_busy(id)
    nursery.start_soon(first)
    await until(lambda: awake.is_busy(id))
    with pytest.raises(Busy):
        await awake.do(id, waits_for(leave))
    awake.later(id, patient)
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert not later.is_set()
    leave.set()
    with trio.fail_after(30):
        await later.wait()
    await until(lambda: not awake.is_active(id))
    assert results == ["done"]


async def test_the_error_of_a_job_is_its_answer_and_the_next_one_is_let_in(
    awake: Attempts, about: Subject
) -> None:
    async def refuse(_: AttemptActor) -> None:
        raise Unavailable("No room.")

    async def fail(_: AttemptActor) -> None:
        raise RuntimeError("a bug of ours")

    async def succeed(_: AttemptActor) -> int:
        return 7

    with pytest.raises(Unavailable):
        await awake.do(about.attempt.id, refuse)
    with pytest.raises(RuntimeError):
        await awake.do(about.attempt.id, fail)
    assert await awake.do(about.attempt.id, succeed) == 7
    assert awake.failures(about.attempt.id) == 0


async def test_a_job_that_hangs_is_given_up_soon_after_a_stop_and_not_at_once(
    awake: Attempts, about: Subject, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_module, "LAST_SECONDS", 0.3)
    id, began = about.attempt.id, trio.Event()
    ended: list[float] = []

    async def hang(_: AttemptActor) -> None:
        began.set()
        await trio.sleep_forever()

    async def ask() -> None:
        with pytest.raises(Stopped, match="before it was done"):
            await awake.do(id, hang)
        ended.append(trio.current_time())

    nursery.start_soon(ask)
    await began.wait()
    asked = trio.current_time()
    with trio.fail_after(30):
        await awake.halt(id)
    await until(lambda: bool(ended))
    assert ended[0] - asked >= 0.3


async def test_a_job_that_has_started_a_process_is_not_cut_by_a_stop_which_ends_the_process(
    awake: Attempts,
    about: Subject,
    resources: Resources,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt_module, "LAST_SECONDS", 0.01)
    row = await add_run(resources, about, runs_script(FOREVER, ScriptContext.CLEANUP))
    began = trio.Event()
    results: list[object] = []

    async def work(actor: AttemptActor) -> str:
        started = await actor.start(row)
        assert started.id == row.id
        began.set()
        await trio.sleep(0.3)  # longer than a stop lets others go on
        return "done"

    async def ask() -> None:
        # The row was there first, as after a restart, so that only what stands beside is let in.
        results.append(await awake.do(about.attempt.id, work, alongside=True))

    nursery.start_soon(ask)
    with trio.fail_after(60):
        await began.wait()
        await awake.halt(about.attempt.id)
    assert (await final(resources, row)).status is ProcessStatus.KILLED
    await until(lambda: bool(results))
    assert results == ["done"]


@pytest.mark.parametrize("whole", [True, False])
async def test_what_is_committed_after_a_stop_gets_its_last_seconds(
    awake: Attempts,
    about: Subject,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
    whole: bool,
) -> None:
    done: list[str] = []

    async def slow(*_: object) -> None:
        await trio.sleep(0.2)
        done.append("committed")

    monkeypatch.setattr(commit, "commit_all", slow)
    row = await add_run(resources, about, runs_script(FOREVER, ScriptContext.CLEANUP))
    await awake.begin(row)
    if whole:
        await awake.halt(about.attempt.id)
    else:
        await awake.halt_process(about.attempt.id, row.id)
    assert (await final(resources, row)).status is ProcessStatus.KILLED
    assert done == ["committed"]


async def test_the_wish_to_stop_everything_is_written_down_before_anybody_hears_it(
    awake: Attempts, about: Subject, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await add_run(resources, about, runs_script(FOREVER, ScriptContext.CLEANUP))
    wished: list[bool] = []
    ask = AttemptActor.ask

    async def look_first(self: AttemptActor, *request: object) -> object:
        stop = await resources.store.read(lambda r: processes.stop_reason(r, row.id))
        wished.append(stop is not None)
        return await ask(self, *request)  # type: ignore[arg-type]

    monkeypatch.setattr(AttemptActor, "ask", look_first)
    await awake.halt(about.attempt.id)
    assert wished == [True]
    assert (await final(resources, row)).status is ProcessStatus.KILLED


async def test_one_of_several_processes_is_stopped_and_the_others_go_on(
    awake: Attempts, about: Subject, resources: Resources
) -> None:
    main = await add_run(resources, about, runs_script(FOREVER, ScriptContext.CLEANUP))
    server = await add_run(resources, about, runs_script(FOREVER, ScriptContext.DEV_SERVER))
    await awake.begin(main)
    await awake.begin(server)
    await awake.halt_process(about.attempt.id, server.id)
    assert (await final(resources, server)).status is ProcessStatus.KILLED
    assert await status(resources, main) is ProcessStatus.RUNNING
    await awake.end_services(about.attempt.id)  # none is a service, so nothing is ended
    assert await status(resources, main) is ProcessStatus.RUNNING
    await awake.halt(about.attempt.id)
    assert (await final(resources, main)).status is ProcessStatus.KILLED


async def test_the_next_link_of_a_chain_is_started_and_one_that_fails_ends_it(
    awake: Attempts, about: Subject, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[str] = []

    async def place_once(_: Resources, task_id: str, __: Path) -> None:
        placed.append(task_id)
        if len(placed) > 2:
            raise Unavailable("No room.")

    monkeypatch.setattr(images, "place", place_once)
    third = runs_script("touch third", ScriptContext.SETUP)
    second = runs_script("touch second", ScriptContext.SETUP, then=third)
    first = runs_script("touch first", ScriptContext.SETUP, then=second)
    await awake.begin(await add_run(resources, about, first))
    await until(lambda: not awake.is_active(about.attempt.id))
    rows = await resources.store.read(lambda r: processes.of_attempt(r, about.attempt.id))
    assert [row.status for row in rows] == [
        ProcessStatus.FAILED,
        ProcessStatus.COMPLETED,
        ProcessStatus.COMPLETED,
    ]
    assert "No room." in told(resources, rows[0])
    assert sorted(path.name for path in about.worktree.glob("[a-z]*")) == ["first", "second"]


async def test_nobody_begins_anything_in_an_attempt_that_is_held_inactive(
    awake: Attempts, about: Subject, resources: Resources, nursery: trio.Nursery
) -> None:
    id, leave = about.attempt.id, trio.Event()
    leave.set()
    done: list[str] = []

    async def work(_: AttemptActor) -> None:
        done.append("done")

    with awake.hold_inactive(id, "another"):
        with pytest.raises(Busy):
            await awake.do(id, work)
        with pytest.raises(Busy), awake.hold_inactive(id):
            raise AssertionError("held twice")
        awake.later(id, work)
        row = await add_run(resources, about, runs_script("exit 0", ScriptContext.CLEANUP))
        awake.adopt(row)
        assert not awake.looks_after(row)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert not awake.is_active(id)
    assert done == []
    awake.adopt(row)
    assert (await final(resources, row)).status is ProcessStatus.COMPLETED
    await until(lambda: not awake.is_active(id))
    leave = trio.Event()
    nursery.start_soon(awake.do, id, waits_for(leave))
    await until(lambda: awake.is_busy(id))
    with pytest.raises(Busy), awake.hold_inactive("another", id):
        raise AssertionError("held while somebody is at work")
    leave.set()


async def test_the_recovery_does_not_wait_for_a_start_that_takes_long(
    awake: Attempts,
    about: Subject,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold = trio.Event()

    async def wait(*_: object) -> None:
        await hold.wait()

    monkeypatch.setattr(images, "place", wait)
    row = await add_run(resources, about, runs_script("exit 0", ScriptContext.CLEANUP))
    with trio.fail_after(10):
        await awake.recover()
    assert awake.looks_after(row)
    assert await status(resources, row) is ProcessStatus.RUNNING
    hold.set()
    assert (await final(resources, row)).status is ProcessStatus.COMPLETED


async def test_a_stop_that_comes_while_it_is_started_ends_the_program(
    awake: Attempts,
    about: Subject,
    resources: Resources,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The row says so, and nobody has told the machine."""
    start = resources.launcher.start

    async def stopped_meanwhile(id: str, *arguments: object, **named: object) -> object:
        running = await start(id, *arguments, **named)  # type: ignore[arg-type]
        await resources.store.write(lambda tx: processes.request_stop(tx, id, "x", now()))
        return running

    monkeypatch.setattr(resources.launcher, "start", stopped_meanwhile)
    row = await add_run(resources, about, runs_script(FOREVER, ScriptContext.CLEANUP))
    await awake.begin(row)
    assert (await final(resources, row)).status is ProcessStatus.KILLED
