"""Starting a shim for a spool that was made for it, also when another one is in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import trio

from anyond.model.configuration.environment import personal
from anyond.model.launch import Launch
from anyond.model.refusals.programs import ToolFailed
from anyond.procs.shims import lost_execution
from anyond.procs.shims.shim_state import Lock, last_words, read_run
from anyond.procs.spools.spool import Spool
from anyond.shim import shim
from anyond.shim.processes.lineage import find_shims
from anyond.shim.processes.orphans import end_orphans
from anyond.shim.shim import REFUSED

SHIM = os.path.abspath(shim.__file__)

START = 30.0
"""Seconds that a shim may take to start its program, on a machine that is very busy."""

USURPED_S = 5.0
"""Seconds that a shim of a former start may hold the lock of a spool that it has to leave alone."""

RETRY_S = 0.02
"""Seconds between two looks at who holds the lock of a spool."""

_left_behind: list[trio.Process] = []
"""Shims that outlived their launcher; kept, so that Python does not complain that they do."""


def forget_ended() -> None:
    """Reap the shims of former launchers that have ended since."""
    _left_behind[:] = [process for process in _left_behind if process.poll() is None]


async def start_shim(
    nursery: trio.Nursery, execution_id: str, launch: Launch, path: Path, start: str
) -> int:
    """Start shims until one has the spool `path`; returns the pid of the program.

    Args:
        nursery: reaps the shims.
        start: names this start, in the spool as well.

    Raises:
        ToolFailed: the program cannot be started; the spool says so.
        Unavailable: the disk or the system refuses.
    """
    deadline = trio.current_time() + START
    while True:
        process, word, rest = await _spawn(nursery, path, start, deadline)
        if word == "ready":
            return int(rest)
        if word == "failed":
            message = json.loads(rest)
            break
        refused = process.poll() == REFUSED and (path / "spec.json").exists()
        if refused and trio.current_time() < deadline:
            # Somebody else had the lock for a moment, such as the shim of a former daemon that
            # came too late. If it is one that runs our program, it is as good.
            pid = await _look_again(execution_id, path, deadline)
            if pid is not None:
                return pid
            continue
        with suppress(ProcessLookupError):
            process.kill()
        message = f"its shim did not start: {last_words(path) or 'no answer'}"
        spool = Spool(path)
        end = partial(lost_execution.finalize, execution_id, spool, message, force=True)
        await trio.to_thread.run_sync(end)
        break
    raise ToolFailed(launch.argv[0], f"{launch.argv[0]} was not started: {message}.")


async def _spawn(
    nursery: trio.Nursery, path: Path, start: str, deadline: float
) -> tuple[trio.Process, str, str]:
    """A shim, and its first line: a word and what follows it."""
    with (path / "shim.err").open("ab") as complaints:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-I", "-S", SHIM, start, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd="/",
            env=personal(os.environ),
            start_new_session=True,
        )
    reaped = trio.Event()
    nursery.start_soon(_reap, process, reaped)
    assert process.stdout is not None
    line = b""
    with trio.move_on_at(deadline):
        async with process.stdout:
            while not line.endswith(b"\n") and (data := await process.stdout.receive_some()):
                line += data
        if not line:
            await reaped.wait()
    word, _, rest = line.decode().partition(" ")
    return process, word, rest


async def _look_again(execution_id: str, path: Path, deadline: float) -> int | None:
    """The program that another shim runs from this spool; None when the spool is free."""
    usurped = trio.current_time() + USURPED_S
    while True:
        run = read_run(path)
        if run is not None:
            return run.pid
        with Lock(path) as lock:
            free = lock.taken()
        if free or trio.current_time() > deadline:
            await trio.sleep(RETRY_S)
            return None
        if trio.current_time() > usurped:
            # It was stopped between the lock and the look at its start, and runs nothing.
            shims = await trio.to_thread.run_sync(find_shims, str(path))
            await trio.to_thread.run_sync(end_orphans, execution_id, None, shims)
            usurped = trio.current_time() + USURPED_S
        await trio.sleep(RETRY_S)


async def _reap(process: trio.Process, reaped: trio.Event) -> None:
    try:
        await process.wait()
        reaped.set()
    finally:
        if process.returncode is None:
            _left_behind.append(process)
