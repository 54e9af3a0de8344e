"""What an agent writes into the files of its own run is no evidence for whom to kill."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.shim.processes.process_table import started
from tests.support.daemon import ACP_AGENT, Daemon, alive

HIDDEN = f"""#!/bin/sh
{sys.executable} {ACP_AGENT}
exec sleep 600
"""
"""An agent that outlives the end of its stdin, and so the death of its shim."""


@pytest.fixture
def innocent() -> Iterator[int]:
    """A process of the person that no run has anything to do with."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process.pid
        process.kill()


async def hidden_agent(daemon: Daemon) -> tuple[dict[str, Any], dict[str, Any], tuple[int, int]]:
    """An attempt whose agent runs and hides: attempt, process, and the pids of shim and agent."""
    program = daemon.root / "hidden"
    program.write_text(HIDDEN)
    program.chmod(0o755)
    # Without anything in its environment that tells of its run.
    state = f"ACP_AGENT_STATE={daemon.root / 'fake-state'}"
    await daemon.use_fake_agent(base_command_override=f"/usr/bin/env -i {state} {program}")
    attempt = await daemon.attempt(await daemon.project(), "run echo up > up\nsilent")
    question = await daemon.question()
    process = await daemon.running(attempt)
    run = json.loads((spool(daemon, process) / "run.json").read_text())
    environment = Path(f"/proc/{run['pid']}/environ").read_bytes()
    assert question
    assert b"ANYON_EXECUTION" not in environment
    return attempt, process, (run["shim_pid"], run["pid"])


def spool(daemon: Daemon, process: dict[str, Any]) -> Path:
    return daemon.data / "executions" / str(process["id"])


def forge(path: Path, pid: int, exit_: bool) -> None:
    run = json.loads((path / "run.json").read_text())
    run |= {"pid": pid, "pid_started": started(pid)}
    run |= {"shim_pid": pid, "shim_started": started(pid)}
    (path / "run.json").write_text(json.dumps(run))
    if exit_:
        forged = {"code": 0, "pid": pid, "leftovers": pid, "ended_at": 1}
        (path / "exit.json").write_text(json.dumps(forged))


@pytest.mark.skipif(sys.platform != "linux", reason="Looks into /proc.")
@pytest.mark.parametrize("exit_", [False, True])
async def test_a_forged_record_kills_nobody_and_saves_nobody(
    daemon: Daemon, innocent: int, exit_: bool
) -> None:
    attempt, process, (shim, agent) = await hidden_agent(daemon)
    await daemon.kill()
    forge(spool(daemon, process), innocent, exit_)
    os.kill(shim, signal.SIGKILL)
    assert alive(agent)
    await daemon.start()
    await daemon.over(attempt)
    assert alive(innocent)
    assert not alive(agent)


@pytest.mark.skipif(sys.platform != "linux", reason="Looks into /proc.")
async def test_a_run_of_the_version_before_is_recorded_when_its_shim_answers(
    daemon: Daemon, innocent: int
) -> None:
    attempt, process, (shim, agent) = await hidden_agent(daemon)
    await daemon.kill()
    forget = "UPDATE launches SET boot_id = NULL, shim_pid = NULL, program_pid = NULL"
    with closing(sqlite3.connect(daemon.data / "anyon.db")) as database, database:
        assert database.execute(forget).rowcount == 1
    forge(spool(daemon, process), innocent, exit_=False)
    await daemon.start()
    await daemon.question()
    seen = "SELECT COUNT(*) FROM launches WHERE program_pid IS NOT NULL"
    with trio.fail_after(30), closing(sqlite3.connect(daemon.data / "anyon.db")) as database:
        while database.execute(seen).fetchone() != (1,):
            await trio.sleep(0.01)  # it is followed behind the first answers
    await daemon.kill()
    os.kill(shim, signal.SIGKILL)
    await daemon.start()
    await daemon.over(attempt)
    assert alive(innocent)
    assert not alive(agent)


@pytest.mark.skipif(sys.platform != "linux", reason="Looks into /proc.")
async def test_a_daemon_that_sees_the_shim_die_goes_by_what_it_saw_before(
    daemon: Daemon, innocent: int
) -> None:
    attempt, process, (shim, agent) = await hidden_agent(daemon)
    forge(spool(daemon, process), innocent, exit_=True)
    os.kill(shim, signal.SIGKILL)
    await daemon.over(attempt)
    assert alive(innocent)
    assert not alive(agent)
