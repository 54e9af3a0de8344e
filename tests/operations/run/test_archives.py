"""An archive that is made anew from the log is what it was before it was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from anyond.model.rows import ExecutorAction, ScriptContext
from anyond.operations.resources import Resources
from anyond.operations.run import archives, run
from anyond.operations.run.conclude import conclude
from anyond.operations.subject import Subject
from anyond.operations.turn.end_reason import ENTRIES
from anyond.procs.shims.launcher import Alive
from anyond.store.runs import processes
from tests.support.rows import add_attempt, add_project, add_run, asks, begin_turn, runs_script
from tests.support.store.running_rows import started

TOOL = (
    '{"type": "assistant", "message": {"role": "assistant", "content": [{"type": "tool_use", '
    '"id": "t", "name": "Bash", "input": {"command": "ls"}}]}}'
)
"""A call that nobody ever answers: it is over with its run."""

SAID = f"echo '{TOOL}'; "
SAID += "echo tea; echo 'not JSON' >&2; echo '{\"type\": \"assistant\"'; sleep 0.1; echo leaf"


@pytest.fixture
async def about(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository))


async def ended(resources: Resources, about: Subject, action: ExecutorAction, script: str) -> Path:
    """The archive of a run that was concluded, and is not whole any more."""
    row = await add_run(resources, about, action)
    agent = row.executor_action == asks()
    record = await begin_turn(resources, row, "Make tea") if agent else None
    await started(resources, row, script, "k" * 64)
    with trio.fail_after(60):
        while isinstance(resources.launcher.look(row.id), Alive):
            await trio.sleep(0.01)  # looked at again, until the deadline
    spool = resources.launcher.spool(row.id)
    exit_ = spool.exit()
    assert exit_ is not None
    conversation = await run.replay(resources.launcher, row, record)
    await conclude(
        resources,
        about,
        row,
        exit=exit_,
        conversation=conversation,
        halting=lambda: False,
        stoppable=trio.CancelScope,
    )
    path = spool.path / ENTRIES
    whole = path.read_bytes()
    assert b"leaf" in whole
    path.write_bytes(whole[:-9])
    row = await resources.store.read(lambda r: processes.get(r, row.id))
    await archives.repair(resources.store, resources.launcher, row)
    assert path.read_bytes() == whole
    return path


async def test_that_of_a_script(resources: Resources, about: Subject) -> None:
    action = runs_script("brew", ScriptContext.CLEANUP)
    path = await ended(resources, about, action, SAID)
    assert b"brew" in path.read_bytes()


async def test_that_of_an_agent_with_what_its_end_has_added(
    resources: Resources, about: Subject
) -> None:
    path = await ended(resources, about, asks(), f"{SAID}; exit 3")
    assert b"exited with code 3 before it had finished" in path.read_bytes()
