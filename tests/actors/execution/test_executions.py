"""No row is left running without somebody who looks after it, whatever goes wrong, and where."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from anyond.actors.attempts import Attempts
from anyond.actors.owner_check import OwnerCheck
from anyond.git.commits import commit
from anyond.logs.conversation import Conversation
from anyond.model.errors import Conflict
from anyond.model.ids import now
from anyond.model.launch import Launch
from anyond.model.records import Record
from anyond.model.rows import ExecutionProcess, ProcessStatus, TaskStatus
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import images, worktree
from anyond.procs.shims.launcher import Alive, Launcher
from anyond.procs.shims.shim_state import read_run
from anyond.store.engine.transaction import Tx
from anyond.store.runs import launches, processes, sessions
from anyond.watchers.logs import Logs
from tests.support.store.running_rows import final, script_instead, started, told

KEY = "k" * 64


def shim_of(resources: Resources, row: ExecutionProcess) -> int:
    run = read_run(resources.launcher.spool(row.id).path)
    assert run is not None
    return run.shim_pid


async def is_running(resources: Resources, row: ExecutionProcess) -> bool:
    found = await resources.store.read(lambda r: processes.get(r, row.id))
    return found.status is ProcessStatus.RUNNING


async def is_over(resources: Resources, row: ExecutionProcess) -> None:
    assert not isinstance(resources.launcher.look(row.id), Alive)
    task = (await subject.read(resources, row.task_attempt_id)).task
    assert task.status is TaskStatus.IN_REVIEW


async def test_a_start_that_fails_in_any_way_ends_the_row_with_the_reason(
    resources: Resources, poisoned: ExecutionProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("Symlink loop from .env")

    row = await script_instead(resources, poisoned)
    monkeypatch.setattr(images, "place", fail)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        with pytest.raises(Conflict, match="RuntimeError: Symlink loop") as refused:
            await active.begin(row)
        assert refused.value.type == "not_started"
        assert (await final(resources, row)).status is ProcessStatus.FAILED
        await is_over(resources, row)
        assert "Symlink loop from .env" in told(resources, row)
        nursery.cancel_scope.cancel()


async def test_a_conclusion_that_fails_in_any_way_ends_the_row_with_the_reason(
    resources: Resources, poisoned: ExecutionProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RecursionError("too deep")

    row = await script_instead(resources, poisoned)
    await started(resources, row, "echo said; exit 3")
    monkeypatch.setattr(commit, "commit_all", fail)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        ended = await final(resources, row)
        assert (ended.status, ended.exit_code) == (ProcessStatus.FAILED, 3)
        await is_over(resources, row)
        assert "said" in told(resources, row)
        assert "could not finish this run: RecursionError: too deep" in told(resources, row)
        assert active.failures(row.task_attempt_id) == 0
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("lives", [True, False])
async def test_a_log_that_cannot_be_read_again_ends_the_row_with_the_reason(
    resources: Resources, poisoned: ExecutionProcess, monkeypatch: pytest.MonkeyPatch, lives: bool
) -> None:
    steps = Conversation.steps

    def choke(self: Conversation, record: Record) -> Iterator[None]:
        if b"hello" in record.data:
            raise ValueError("hello")
        return steps(self, record)

    monkeypatch.setattr(Conversation, "steps", choke)
    turn = '{"executor": "DEMO", "prompt": "x", "cwd": "/"}'
    await resources.store.write(lambda tx: sessions.keep_turn(tx, poisoned.id, turn))
    await started(resources, poisoned, "exec sleep 600" if lives else "exit 0")
    with (resources.launcher.spool(poisoned.id).path / "log").open("ab") as log:
        log.write(b'9 note 33\n{"note":"remark","text":"hello"}\n')
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        assert (await final(resources, poisoned)).status is ProcessStatus.FAILED
        await is_over(resources, poisoned)
        why = "could not follow this run" if lives else "could not be read again"
        assert why in told(resources, poisoned)
        nursery.cancel_scope.cancel()


async def test_a_program_whose_spool_was_removed_is_lost_and_not_started_again(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    row = await script_instead(resources, poisoned)
    await started(resources, row, "exec sleep 600", KEY)
    await resources.store.write(lambda tx: launches.record(tx, row.id, KEY, now()))
    shim = shim_of(resources, row)
    shutil.rmtree(resources.launcher.spool(row.id).path)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        assert (await final(resources, row)).status is ProcessStatus.FAILED
        assert "were removed while it ran" in told(resources, row)
        with trio.fail_after(30):
            while os.path.exists(f"/proc/{shim}/cwd"):
                await trio.sleep(0.01)  # looked at again, until the deadline
        nursery.cancel_scope.cancel()


class Killed(BaseException):
    """A daemon is killed here."""


async def until_killed(resources: Resources, row: ExecutionProcess) -> None:
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        await final(resources, row)


@pytest.mark.parametrize("where", ["before its spool is made anew", "while its spool is made anew"])
async def test_a_start_that_two_daemons_were_killed_in_is_begun_once_more(
    resources: Resources, poisoned: ExecutionProcess, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    row = await script_instead(resources, poisoned)

    async def record() -> None:
        await resources.store.write(lambda tx: launches.record(tx, row.id, KEY, now()))
        raise Killed

    launch = Launch(argv=("true",), cwd="/", env={}, stdin=False, install="")
    with pytest.raises(Killed):
        await resources.launcher.start(row.id, launch, limit=1 << 20, key=KEY, record=record)

    async def before(*_: object) -> None:
        raise Killed

    def meanwhile(_: Launcher, __: str, path: Path, ___: object) -> None:
        shutil.rmtree(path)
        raise Killed

    with monkeypatch.context() as patch:
        if where.startswith("before"):
            patch.setattr(images, "place", before)
        else:
            patch.setattr(Launcher, "_make_spool", meanwhile)
        with pytest.raises(BaseExceptionGroup) as killed:
            await until_killed(resources, row)
        assert killed.value.split(Killed)[1] is None
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        ended = await final(resources, row)
        assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0), told(resources, row)
        nursery.cancel_scope.cancel()


async def test_one_shim_that_hangs_holds_up_no_restart_and_is_ended_by_a_stop(
    resources: Resources, poisoned: ExecutionProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyond.actors.execution.attaching.STOP_ANSWER_S", 0.5)
    row = await script_instead(resources, poisoned)
    await started(resources, row, "exec sleep 600", KEY)
    await resources.store.write(lambda tx: launches.record(tx, row.id, KEY, now()))
    os.kill(shim_of(resources, row), signal.SIGSTOP)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        with trio.fail_after(10):  # it would be 15 s for one that nobody may leave behind
            await active.recover()
        assert isinstance(resources.launcher.look(row.id), Alive)
        assert active.is_busy(row.task_attempt_id)
        await active.halt(row.task_attempt_id)
        assert (await final(resources, row)).status is ProcessStatus.KILLED
        await is_over(resources, row)
        assert "did not react any more" in told(resources, row)
        nursery.cancel_scope.cancel()


async def test_a_shim_that_hung_at_the_restart_is_followed_when_it_wakes_up(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    row = await script_instead(resources, poisoned)
    await started(resources, row, "sleep 1; exit 5", KEY)
    await resources.store.write(lambda tx: launches.record(tx, row.id, KEY, now()))
    shim = shim_of(resources, row)
    os.kill(shim, signal.SIGSTOP)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        os.kill(shim, signal.SIGCONT)
        ended = await final(resources, row)
        assert (ended.status, ended.exit_code) == (ProcessStatus.FAILED, 5)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("active_already", [True, False])
@pytest.mark.parametrize("script", ["exec sleep 600", "exit 0"])
async def test_a_row_without_an_owner_is_found_by_the_check_and_the_log_says_so(
    resources: Resources, poisoned: ExecutionProcess, script: str, active_already: bool
) -> None:
    leave = trio.Event()

    async def stay(_: object) -> None:
        await leave.wait()

    def remove(tx: Tx) -> None:
        tx.execute("DELETE FROM execution_processes WHERE id = ?", (poisoned.id,))

    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        check = OwnerCheck(resources, active)
        if active_already:
            await resources.store.write(remove)
            active.later(poisoned.task_attempt_id, stay)
            await trio.testing.wait_all_tasks_blocked(0.1)
        row = await script_instead(resources, poisoned)
        await started(resources, row, script)
        found = await check.check(settle_s=0.01)
        assert [r.id for r in found] == [row.id]
        with trio.fail_after(60):
            while not active.looks_after(row) and await is_running(resources, row):
                await trio.sleep(0.01)  # looked at again, until the deadline
        assert await check.check(settle_s=0.01) == []
        leave.set()
        if script != "exit 0":
            await active.halt(row.task_attempt_id)
        expected = ProcessStatus.COMPLETED if script == "exit 0" else ProcessStatus.KILLED
        assert (await final(resources, row)).status is expected
        assert "took it up again" in told(resources, row)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("action", ["", "{", '{"typ":{"type":"Unknown"}}', "[" * 50_000, "\x00"])
@pytest.mark.parametrize("lives", [True, False])
async def test_a_row_that_cannot_be_decoded_ends_and_keeps_no_daemon_from_starting(
    resources: Resources, poisoned: ExecutionProcess, action: str, lives: bool
) -> None:
    if lives:
        await started(resources, poisoned, "exec sleep 600")

    def damage(tx: Tx) -> None:
        tx.execute(
            "UPDATE execution_processes SET executor_action = ? WHERE id = ?", (action, poisoned.id)
        )

    await resources.store.write(damage)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        assert (await final(resources, poisoned)).status is ProcessStatus.FAILED
        assert "its row is damaged" in told(resources, poisoned)
        await is_over(resources, poisoned)
        nursery.cancel_scope.cancel()


async def test_a_stop_ends_the_start_of_a_found_row_whose_worktree_takes_for_ever(
    resources: Resources, poisoned: ExecutionProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await script_instead(resources, poisoned)
    began = trio.Event()

    async def hang(*_: object, **__: object) -> Subject:
        began.set()
        await trio.sleep_forever()

    monkeypatch.setattr(worktree, "prepare", hang)
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        with trio.fail_after(30):
            await began.wait()
            await active.halt(row.task_attempt_id)
        assert (await final(resources, row)).status is ProcessStatus.KILLED
        assert "being made" in told(resources, row)
        nursery.cancel_scope.cancel()


async def test_a_new_row_is_started_once_by_whoever_comes_first_and_both_are_answered(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    row = await script_instead(resources, poisoned)

    async def nothing(_: object) -> None: ...

    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        active.later(row.task_attempt_id, nothing)
        async with trio.open_nursery() as askers:
            askers.start_soon(active.begin, row)
            askers.start_soon(active.begin, row)
        ended = await final(resources, row)
        assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0), told(resources, row)
        await active.begin(row)  # it has begun, so nothing is waited for
        nursery.cancel_scope.cancel()


async def test_a_shim_of_a_version_that_recorded_no_launches_is_followed_and_recorded(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    row = await script_instead(resources, poisoned)
    await started(resources, row, "exec sleep 600")
    async with trio.open_nursery() as nursery:
        awake = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await awake.recover()
        seen = None
        with trio.fail_after(30):
            while seen is None:
                await trio.sleep(0.01)  # looked at again, until the deadline
                key, seen = await resources.store.read(
                    lambda r: (launches.key(r, row.id), launches.processes(r, row.id))
                )
        assert key == ""
        assert seen.shim[0] == shim_of(resources, row)
        await awake.halt(row.task_attempt_id)
        assert (await final(resources, row)).status is ProcessStatus.KILLED
        nursery.cancel_scope.cancel()
