"""Real programs for the tests of this room, and how they are waited for."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import trio

from anyond.model.launch import Launch
from anyond.model.records import Exit, Record, Stream
from anyond.procs.shims.launcher import Ended, Launcher
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.procs.spools.spool import Spool
from anyond.procs.spools.spool_readers import Frame

LIMIT = 1 << 30
DEADLINE = 30


def name() -> str:
    """An id that no other test has: processes are found by it."""
    return str(uuid.uuid4())


def shell(script: str, **more: object) -> Launch:
    return Launch(argv=("/bin/sh", "-c", script), cwd="/", **more)  # type: ignore[arg-type]


def python(script: str, **more: object) -> Launch:
    return Launch(argv=(sys.executable, "-I", "-S", "-u", "-c", script), cwd="/", **more)  # type: ignore[arg-type]


async def begin(launcher: Launcher, launch: Launch, limit: int = LIMIT) -> ShimConnection:
    with trio.fail_after(DEADLINE):
        return await launcher.start(name(), launch, limit=limit)


async def end(launcher: Launcher, running: ShimConnection) -> Exit:
    with trio.fail_after(DEADLINE):
        while await running.news():
            pass
    await running.aclose()
    found = launcher.look(running.execution_id)
    assert isinstance(found, Ended), found
    return found.exit


async def until(running: ShimConnection, there: Callable[[], object]) -> None:
    """Follow the doorbell until something is there."""
    with trio.fail_after(DEADLINE):
        while not there():
            assert await running.news()


async def before_long(there: Callable[[], object]) -> None:
    """Poll for what has no bell."""
    with trio.fail_after(DEADLINE):
        while not there():
            await trio.sleep(0.005)


def records(spool: Spool, most: int = 1 << 18) -> list[Record]:
    reader = spool.records()
    found = []
    while batch := reader.read(most):
        found += batch
    reader.close()
    return found


def frames(spool: Spool, first: int = 0, most: int = 1 << 18) -> list[Frame]:
    reader = spool.output(first)
    found = []
    while batch := reader.read(most):
        found += batch
    reader.close()
    return found


def printed(spool: Spool, stream: Stream = Stream.STDOUT) -> bytes:
    return b"".join(record.data for record in records(spool) if record.stream is stream)


def alive(execution_id: str) -> set[int]:
    """Everybody who carries the mark of an execution and is not a zombie."""
    found = set()
    for process in psutil.process_iter():
        try:
            if process.environ().get("ANYON_EXECUTION") == execution_id:
                found.add(process.pid)
        except psutil.Error:
            continue
    return found


def shim_of(spool: Spool) -> int:
    import msgspec

    return int(msgspec.json.decode((spool.path / "run.json").read_bytes())["shim_pid"])


def write_program(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.chmod(path, 0o755)
    return path
