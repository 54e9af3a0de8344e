"""Starting, feeding and reading one process, and ending it with everything that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import trio
from msgspec import Struct, field

from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import NotFound
from anyond.open_files import give_back

AT_ONCE = 16
KILL_AFTER_S = 5.0

_slots: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("git_slots")


class Ended(Struct, frozen=True):
    """The end of a process: its exit status (negative if a signal ended it), and its output."""

    code: int
    out: bytes
    err: bytes


class _Capture(Struct):
    out: list[bytes] = field(default_factory=list)
    err: list[bytes] = field(default_factory=list)


async def run(
    command: tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    input: bytes | None,
    timeout: float,
    *,
    lasting: bool = False,
) -> Ended | None:
    """Run `command` in a session of its own, with no terminal, and at most 16 at once.

    Args:
        lasting: it is to go on if we are killed: what it says goes into files, since whoever writes
            into a pipe that nobody reads is ended.

    Returns:
        What it left, or None if it was stopped after `timeout` seconds.

    Raises:
        NotFound: there is no directory `cwd`.
        ToolFailed: it could not be started.

    Cancellation ends it and everything it started, then comes through.
    """
    async with _limiter():
        files = ExitStack()
        try:
            out, err = (_file(files), _file(files)) if lasting else (None, None)
            process = await trio.lowlevel.open_process(
                list(command),
                stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                stdout=out or subprocess.PIPE,
                stderr=err or subprocess.PIPE,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
            )
        except BaseException as error:
            files.close()
            if not isinstance(error, OSError):
                raise
            if not await trio.to_thread.run_sync(os.path.isdir, cwd):
                raise NotFound("directory", cwd) from error
            why = f"git could not be started in {cwd}: {error.strerror}"
            raise ToolFailed("git", why) from error
        give_back(process.pid)
        captured = _Capture()
        with files:
            with trio.move_on_after(timeout) as deadline:
                await _converse(process, input, captured)
            if out is not None and err is not None:
                captured.out, captured.err = [_content(out)], [_content(err)]
    if deadline.cancelled_caught:
        return None
    return Ended(process.returncode or 0, b"".join(captured.out), b"".join(captured.err))


async def _converse(process: trio.Process, input: bytes | None, captured: _Capture) -> None:
    try:
        async with trio.open_nursery() as nursery:
            if process.stdin is not None:
                nursery.start_soon(_feed, process.stdin, input or b"")
            for stream, into in ((process.stdout, captured.out), (process.stderr, captured.err)):
                if stream is not None:
                    nursery.start_soon(_drain, stream, into)
            await process.wait()
            # A hook may have left something running that holds the pipes: what git itself wrote is
            # in them by now, so reading that is a matter of moments.
            nursery.cancel_scope.deadline = trio.current_time() + KILL_AFTER_S
    finally:
        if process.returncode is None:
            await _end(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with trio.CancelScope(shield=True):
                    await pipe.aclose()


async def _feed(stdin: trio.abc.SendStream, data: bytes) -> None:
    # Git may end without reading everything; its exit status tells whether that is an error.
    with suppress(trio.BrokenResourceError):
        await stdin.send_all(data)
    await stdin.aclose()


async def _drain(stream: trio.abc.ReceiveStream, into: list[bytes]) -> None:
    async for chunk in stream:
        into.append(bytes(chunk))


def _file(files: ExitStack) -> IO[bytes]:
    return files.enter_context(tempfile.TemporaryFile())


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


async def _end(process: trio.Process) -> None:
    """SIGTERM first, so that git removes its lock files; SIGKILL for whoever does not listen."""
    with trio.CancelScope(shield=True):
        with trio.move_on_after(KILL_AFTER_S):
            _signal(process, signal.SIGTERM)
            await process.wait()
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: trio.Process, number: signal.Signals) -> None:
    # The group is gone when everyone in it has ended (macOS says EPERM if only zombies are left).
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _limiter() -> trio.CapacityLimiter:
    try:
        return _slots.get()
    except LookupError:
        limiter = trio.CapacityLimiter(AT_ONCE)
        _slots.set(limiter)
        return limiter
