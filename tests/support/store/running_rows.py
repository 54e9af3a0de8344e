"""Rows whose programs run, for the tests of who looks after them."""

from __future__ import annotations

import trio

from anyond.model.launch import Launch
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    ScriptContext,
    ScriptRequest,
)
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes


async def started(resources: Resources, row: ExecutionProcess, script: str, key: str = "") -> None:
    launch = Launch(argv=("bash", "-c", script), cwd="/", env={}, stdin=False, install="")
    running = await resources.launcher.start(row.id, launch, limit=1 << 20, key=key)
    await running.aclose()


async def final(resources: Resources, row: ExecutionProcess) -> ExecutionProcess:
    with trio.fail_after(120):
        while True:
            found = await resources.store.read(lambda r: processes.get(r, row.id))
            if found.status is not ProcessStatus.RUNNING:
                return found
            await trio.sleep(0.01)  # looked at again, until the deadline


async def script_instead(resources: Resources, row: ExecutionProcess) -> ExecutionProcess:
    """A script's running row in the attempt of `row`, which is no more."""
    attempt_subject = await subject.read(resources, row.task_attempt_id)
    request = ScriptRequest(script="true", context=ScriptContext.CLEANUP)

    def work(tx: Tx) -> ExecutionProcess:
        tx.execute("DELETE FROM execution_processes WHERE id = ?", (row.id,))
        return run.insert(
            tx, attempt_subject.attempt.id, attempt_subject.task.id, ExecutorAction(typ=request)
        )

    return await resources.store.write(work)


def told(resources: Resources, row: ExecutionProcess) -> str:
    """All that a person can read of a run: its output and its entries."""
    path = resources.launcher.spool(row.id).path
    return "".join(
        (path / file).read_text() for file in ("log", "entries.jsonl") if (path / file).exists()
    )
