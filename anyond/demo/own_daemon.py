"""The daemon of the tour: started as a user starts it, with directories of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio

from anyond.api import attempts, processes
from anyond.api.attempts import AttemptsOfTask
from anyond.api.declaration.params import OfAttempt
from anyond.api.processes import ProcessesOfAttempt
from anyond.client import Address, Client
from anyond.client.errors import ClientError
from anyond.host.daemon_file import DaemonFile
from anyond.model.refusals.programs import ToolFailed
from anyond.model.rows import ProcessStatus

START_S = 20.0
ANSWER_S = 60.0
STOP_S = 15.0
EXIT_S = 5.0


@asynccontextmanager
async def own_daemon(root: Path) -> AsyncIterator[Client]:
    """A client of a daemon below `root`, which is stopped at the end together with its agents.

    Raises:
        ToolFailed: it did not start.
    """
    environment = dict(os.environ)
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"ANYON_{name}_DIR"] = str(root / name.lower())
    environment["ANYON_DEMO_STATE"] = str(root / "agent")
    command = [sys.executable, "-m", "anyond", "serve", "--port", "0", "--host", "127.0.0.1"]
    with (root / "daemon.log").open("wb") as log:
        process = await trio.lowlevel.open_process(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl+C in a terminal goes to a whole group, and this one is still needed then.
            start_new_session=True,
        )
    url = None
    try:
        url = await _find_url(root / "runtime" / "daemon.json", process)
        async with Client(Address(url), timeout_s=ANSWER_S) as client:
            yield client
    finally:
        with trio.CancelScope(shield=True):
            if url is not None:
                await _end_runs(Address(url))
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with trio.move_on_after(EXIT_S):
                await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _find_url(file: Path, process: trio.Process) -> str:
    with trio.move_on_after(START_S):
        while process.poll() is None:
            daemon_file = DaemonFile.read(file)
            if daemon_file is not None:
                return daemon_file.url
            await trio.sleep(0.02)
    raise ToolFailed("anyon", "The daemon did not start.")


async def _end_runs(address: Address) -> None:
    """End every agent: they would live on when their daemon is gone, as they should elsewhere."""
    with trio.move_on_after(STOP_S), suppress(ClientError):
        async with Client(address, timeout_s=STOP_S) as client:
            for attempt in await client.call(attempts.LIST_TASK_ATTEMPTS, AttemptsOfTask()):
                await client.call(attempts.STOP_EXECUTION, OfAttempt(task_attempt_id=attempt.id))
                of_attempt = ProcessesOfAttempt(task_attempt_id=attempt.id)
                while True:
                    rows = await client.call(processes.LIST_EXECUTION_PROCESSES, of_attempt)
                    if all(row.status is not ProcessStatus.RUNNING for row in rows):
                        break
                    await trio.sleep(0.05)
