"""An attempt whose actor fails and fails is not left to itself."""

from __future__ import annotations

import pytest
import trio
from structlog.testing import capture_logs

from anyond.actors.attempts import Attempts
from anyond.model.errors import Unavailable
from anyond.model.ids import now
from anyond.model.refusals.runs import Busy
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    ScriptContext,
    ScriptRequest,
    TaskStatus,
)
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.procs.shims.launcher import Alive
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from anyond.watchers.logs import Logs
from tests.support.store.running_rows import final, started, told


async def test_what_is_over_ends_although_nobody_asks(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    await started(resources, poisoned, "exit 3")
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        ended = await final(resources, poisoned)
        assert (ended.status, ended.exit_code) == (ProcessStatus.FAILED, 3)
        task = (await subject.read(resources, poisoned.task_attempt_id)).task
        assert task.status is TaskStatus.IN_REVIEW
        with trio.fail_after(30):
            while active.is_active(poisoned.task_attempt_id):
                await trio.sleep(0.01)  # looked at again, until the deadline
        nursery.cancel_scope.cancel()


async def test_what_still_runs_and_cannot_be_followed_becomes_a_failed_run(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    await started(resources, poisoned, "exec sleep 600")
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.recover()
        assert (await final(resources, poisoned)).status is ProcessStatus.FAILED
        assert not isinstance(resources.launcher.look(poisoned.id), Alive)
        assert told(resources, poisoned).count("could not follow this run: DecodeError") == 3
        task = (await subject.read(resources, poisoned.task_attempt_id)).task
        assert task.status is TaskStatus.IN_REVIEW
        nursery.cancel_scope.cancel()


async def test_what_cannot_be_followed_and_was_stopped_is_killed(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    await started(resources, poisoned, "exec sleep 600")
    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        await active.halt(poisoned.task_attempt_id)
        assert (await final(resources, poisoned)).status is ProcessStatus.KILLED
        assert not isinstance(resources.launcher.look(poisoned.id), Alive)
        nursery.cancel_scope.cancel()


async def test_nobody_is_let_in_beside_what_ran_when_the_actor_failed(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    about = await subject.read(resources, poisoned.task_attempt_id)
    request = ScriptRequest(script="sleep 600", context=ScriptContext.CLEANUP)

    def work_of_a_script(tx: Tx) -> ExecutionProcess:
        tx.execute("DELETE FROM execution_processes")
        return run.insert(tx, about.attempt.id, about.task.id, ExecutorAction(typ=request))

    row = await resources.store.write(work_of_a_script)
    await started(resources, row, "exec sleep 600")
    begun: list[str] = []

    async def work(_: object) -> None:
        begun.append("beside")

    async with trio.open_nursery() as nursery:
        active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
        with pytest.raises(Busy):
            await active.do(about.attempt.id, work)
        await active.halt(about.attempt.id)
        assert (await final(resources, row)).status is ProcessStatus.KILLED
        nursery.cancel_scope.cancel()
    assert begun == []


async def test_what_the_disk_does_not_take_is_waited_for_however_long(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    about = await subject.read(resources, poisoned.task_attempt_id)
    request = ScriptRequest(script="exit 0", context=ScriptContext.CLEANUP)

    def work_of_a_script(tx: Tx) -> ExecutionProcess:
        tx.execute("DELETE FROM execution_processes")
        return run.insert(tx, about.attempt.id, about.task.id, ExecutorAction(typ=request))

    row = await resources.store.write(work_of_a_script)
    await started(resources, row, "exit 0")
    # As on a disk that the kernel does not let anybody write to any more.
    await resources.store.write(lambda tx: tx.execute("PRAGMA query_only = ON"))
    with pytest.raises(Unavailable):
        await resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))
    with capture_logs() as logged:
        async with trio.open_nursery() as nursery:
            active = Attempts(nursery, resources, Logs(resources.store, resources.launcher))
            await active.recover()
            with trio.fail_after(30):
                while active.failures(about.attempt.id) < 8:
                    await trio.sleep(0.01)  # looked at again, until the deadline
            found = await resources.store.read(lambda r: processes.get(r, row.id))
            assert found.status is ProcessStatus.RUNNING
            # Not by `write`, whose transaction would not even begin.
            await resources.store._writer.run(
                lambda c: c.execute("PRAGMA query_only = OFF").close()
            )
            ended = await final(resources, row)
            assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0)
            nursery.cancel_scope.cancel()
    events = [line["event"] for line in logged]
    assert events.count("attempt_left") >= 8
    assert "attempt_keeps_failing" not in events  # or it would be ended as soon as that works
