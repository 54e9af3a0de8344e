"""Git processes that have outlived the daemon that started them: waiting for them, or their end."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
import trio

from anyond.model.refusals.runs import Busy

log = structlog.get_logger()

FINISH_S = 15.0
"""How long a git that outlived its daemon has to finish by itself."""

TERMINATE_S = 5.0
"""From SIGTERM to SIGKILL."""

_POLL_S = 0.1


async def let_finish(
    words: Sequence[str], cwd: Path | None = None, seconds: float | None = None
) -> None:
    """Wait for a git that an earlier daemon has started, and that must not be cut short.

    Args:
        words: what its arguments have among them, e.g. the commit that it is to move to; enough to
            tell it from any other.
        cwd: where it runs, if that matters.
        seconds: how long it may take; `FINISH_S` otherwise.

    Raises:
        Busy: it has not ended within that time.

    Cancellation leaves it alone.
    """
    if not await _all_end(words, cwd, FINISH_S if seconds is None else seconds):
        raise Busy.git()


async def end(words: Sequence[str], cwd: Path) -> None:
    """Wait for such a git, and end it, with its hooks, if it takes longer than `FINISH_S`.

    Only for what can be undone afterwards.
    """
    if await _all_end(words, cwd, FINISH_S):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in await _look(words, cwd):
            log.warning("git_ended", pid=pid, signal=number.name, cwd=str(cwd))
            # Git of ours leads a session, so that this reaches what it has started.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
        if await _all_end(words, cwd, TERMINATE_S):
            return


async def _all_end(words: Sequence[str], cwd: Path | None, seconds: float) -> bool:
    until = trio.current_time() + seconds
    while await _look(words, cwd):
        if trio.current_time() >= until:
            return False
        await trio.sleep(_POLL_S)
    return True


async def _look(words: Sequence[str], cwd: Path | None) -> list[int]:
    return await trio.to_thread.run_sync(_find, tuple(words), cwd)


def _find(words: tuple[str, ...], cwd: Path | None) -> list[int]:
    import psutil  # seldom needed, and not small

    place = None if cwd is None else os.path.realpath(cwd)
    found = []
    for process in psutil.process_iter():
        # It ended in between, or is somebody else's and tells nothing.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            # The leader of a session of its own that is no child of ours: nothing that a person
            # has started at a terminal is that, and nothing that this daemon waits for itself.
            if process.pid == os.getpid() or process.ppid() == os.getpid():
                continue
            if process.status() == psutil.STATUS_ZOMBIE or os.getsid(process.pid) != process.pid:
                continue
            program, *arguments = process.cmdline() or [""]
            if os.path.basename(program) != "git" or not set(words) <= set(arguments):
                continue
            if place is None or os.path.realpath(process.cwd()) == place:
                found.append(process.pid)
    return found
