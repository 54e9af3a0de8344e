"""Capturing the output of short-lived programs, within limits of time and size."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

import trio
from msgspec import Struct

from anyond.model.ids import new_id
from anyond.model.refusals.programs import ToolFailed
from anyond.open_files import give_back
from anyond.shim.processes.orphans import end_orphans

DRAIN = 0.2
"""Seconds in which what it has said is read after its end; a child may hold the pipe open."""


class Capture(Struct, frozen=True):
    """The outcome of one program.

    Args:
        code: its exit code; negative for a signal, None if it had to be killed.
        text: what it wrote to both outputs, as much of it as was wanted.
        cut: it had to be killed because it said more.
    """

    code: int | None
    text: str
    cut: bool = False


async def capture(
    argv: Sequence[str], environment: Mapping[str, str], *, seconds: float, most: int
) -> Capture:
    """Run a program that answers a question, and leave nothing of it behind.

    It has nothing to read, works in the root directory and a session of its own; whatever it has
    started is killed with it.

    Args:
        argv: the program as an absolute path, and its arguments.
        seconds: it may take.
        most: bytes that it may say.

    Raises:
        ToolFailed: it cannot be started.
    """
    mark = f"words-{new_id()}"
    try:
        process = await trio.lowlevel.open_process(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**environment, "ANYON_EXECUTION": mark},
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed(argv[0], f"{argv[0]} cannot be run: {error.strerror}.") from error
    give_back(process.pid)
    output = bytearray()
    try:
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_read, process, output, most, nursery.cancel_scope)
                await process.wait()
                nursery.cancel_scope.deadline = trio.current_time() + DRAIN
        code = process.returncode
    finally:
        with trio.CancelScope(shield=True):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            assert process.stdout is not None
            await process.stdout.aclose()
            await trio.to_thread.run_sync(end_orphans, mark, None)
    return Capture(code, output[:most].decode(errors="replace"), cut=len(output) > most)


async def _read(
    process: trio.Process, output: bytearray, most: int, enough: trio.CancelScope
) -> None:
    assert process.stdout is not None
    while len(output) <= most:
        data = await process.stdout.receive_some(1 << 14)
        if not data:
            return
        output += data
    enough.cancel()
