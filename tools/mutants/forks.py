"""Forked processes: one that runs something, ends in time, and leaves nothing behind."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of all that the descendants of this process leave behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def run_forked(
    run: Callable[[Path], int], timeout_s: float, spared: Collection[int] = ()
) -> tuple[int | None, str, str]:
    """Run something in a forked process that nothing outlives.

    Args:
        run: is given a directory for its files; what it returns is the exit code.
        spared: the pids of other children, which live on.

    Returns:
        The exit code (None: it took too long), what it printed, and what it wrote into the file
        `note` of its directory.
    """
    with _directory() as directory:
        output, note = directory / "output", directory / "note"
        pid = os.fork()
        if pid == 0:
            become(lambda: run(directory), output)
        deadline = time.monotonic() + timeout_s
        code: int | None = None
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.01)
        _end_descendants(spared)
        return code, _text(output), _text(note)


def become(run: Callable[[], int], output: Path) -> NoReturn:
    """Run something as all that is left of this forked process to do, its output in a file."""
    code = 1
    try:
        os.setsid()
        if sys.platform == "linux":  # it ends with whoever waits for it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = run()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="anyon-mutants-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def _end_descendants(spared: Collection[int]) -> None:
    """Kill and reap all that is left, however deep, but for some children and what is theirs."""
    while _has_children() if not spared else psutil.Process().children():
        left = [child for child in psutil.Process().children() if child.pid not in spared]
        if spared and not left:
            return
        for child in left:
            with suppress(psutil.NoSuchProcess):
                for process in [*child.children(recursive=True), child]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
        for child in left:
            with suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)
        time.sleep(0.005)


def _has_children() -> bool:
    """Reap those that have ended; returns whether any is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
