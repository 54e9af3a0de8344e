"""What is true of attempts that ran before a restart, as long as nobody has followed them again."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from anyond.actors.attempts import Attempts
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ExecutionProcess, ProcessStatus, RunReason, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.engine.transaction import Tx
from anyond.store.runs import launches, processes
from anyond.watchers.logs import Logs
from tests.support.rows import add_run, runs_script
from tests.support.store.running_rows import final, started

KEY = "k" * 64
FOREVER = "echo said; exec sleep 600"


@pytest.fixture
async def row(resources: Resources, about: Subject) -> ExecutionProcess:
    """A script that runs under its shim."""
    found = await add_run(resources, about, runs_script("true", ScriptContext.CLEANUP))
    await started(resources, found, FOREVER, KEY)
    await resources.store.write(lambda tx: launches.record(tx, found.id, KEY, found.created_at))
    return found


@pytest.fixture
def logs(resources: Resources) -> Logs:
    return Logs(resources.store, resources.launcher)


@pytest.fixture
async def restarted(nursery: trio.Nursery, resources: Resources, logs: Logs) -> Attempts:
    return Attempts(nursery, resources, logs)


def is_followed(logs: Logs, row: ExecutionProcess) -> bool:
    return logs.begin(row.id).is_listened_to


async def until_followed(logs: Logs, row: ExecutionProcess) -> None:
    with trio.fail_after(30):
        while not is_followed(logs, row):
            await trio.sleep(0.01)  # looked at again, until the deadline


async def test_what_lives_is_owned_at_once_and_followed_when_clients_are_answered(
    restarted: Attempts, row: ExecutionProcess, logs: Logs
) -> None:
    serving = trio.Event()
    await restarted.recover(serving)
    await trio.testing.wait_all_tasks_blocked()
    attempt = row.task_attempt_id
    assert not is_followed(logs, row)
    assert restarted.looks_after(row)
    assert restarted.is_active(attempt)
    assert restarted.is_busy(attempt)
    with pytest.raises(Busy), restarted.hold_inactive(attempt):
        raise AssertionError("held while something runs there")
    serving.set()
    await until_followed(logs, row)
    assert restarted.is_busy(attempt)
    await restarted.halt(attempt)


async def test_a_dev_server_keeps_nobody_from_work_before_it_is_followed_either(
    restarted: Attempts, resources: Resources, row: ExecutionProcess
) -> None:
    reason = RunReason.DEV_SERVER.value

    def turn_into_server(tx: Tx) -> None:
        tx.execute("UPDATE execution_processes SET run_reason = ?", (reason,))

    await resources.store.write(turn_into_server)
    await restarted.recover(trio.Event())
    assert restarted.is_active(row.task_attempt_id)
    assert not restarted.is_busy(row.task_attempt_id)
    await restarted.halt(row.task_attempt_id)


async def test_a_stop_reaches_what_nobody_has_followed_yet(
    restarted: Attempts, resources: Resources, row: ExecutionProcess
) -> None:
    await restarted.recover(trio.Event())
    with trio.fail_after(60):
        await restarted.halt(row.task_attempt_id)
    assert (await final(resources, row)).status is ProcessStatus.KILLED


async def test_a_stop_that_was_asked_for_before_the_restart_waits_for_no_client(
    restarted: Attempts, resources: Resources, row: ExecutionProcess
) -> None:
    await resources.store.write(
        lambda tx: processes.request_stop(tx, row.id, "stopped by a person", row.created_at)
    )
    await restarted.recover(trio.Event())
    assert (await final(resources, row)).status is ProcessStatus.KILLED


async def test_what_has_ended_meanwhile_waits_for_no_client(
    restarted: Attempts, resources: Resources, about: Subject
) -> None:
    row = await add_run(resources, about, runs_script("true", ScriptContext.CLEANUP))
    await started(resources, row, "exit 3", KEY)
    await resources.store.write(lambda tx: launches.record(tx, row.id, KEY, row.created_at))
    with trio.fail_after(30):
        while resources.launcher.is_alive(row.id):
            await trio.sleep(0.01)  # looked at again, until the deadline
    await restarted.recover(trio.Event())
    ended = await final(resources, row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.FAILED, 3)


async def test_whoever_reads_its_raw_log_has_it_before_anybody_follows_it(
    restarted: Attempts, row: ExecutionProcess, logs: Logs
) -> None:
    await restarted.recover(trio.Event())
    with trio.fail_after(30):
        async for frames in logs.raw(row.id):
            assert b"said" in frames[0].data
            break
    assert not is_followed(logs, row)
    await restarted.halt(row.task_attempt_id)


async def test_an_attempt_whose_entries_somebody_reads_is_followed_first(
    restarted: Attempts, row: ExecutionProcess, logs: Logs, nursery: trio.Nursery
) -> None:
    await restarted.recover(trio.Event())

    async def read() -> None:
        async for _ in logs.entries(row.id):
            pass

    nursery.start_soon(read)
    await until_followed(logs, row)
    await restarted.halt(row.task_attempt_id)
