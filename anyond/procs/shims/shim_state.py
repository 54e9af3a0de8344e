"""The state that a shim leaves in its spool: its lock, its run, and its last words."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from anyond.procs.spools.spool_files import open_plain, read_end, read_plain
from anyond.shim.processes.process_table import boot_id
from anyond.shim.spool.log import write_json

LARGEST_SPEC = 64 << 20  # bytes; a prompt can be among the arguments


class Run(Struct, frozen=True, kw_only=True):
    """The record of a run, written by the shim before the program's first instruction.

    Args:
        shim_started: its start time in the notation of the system; tells a pid from its reuse.
        boot_id: which run of the machine the pids belong to.
        started_at: Unix nanoseconds.
        protocol: of its control socket and spool; 1 for shims that did not know that there is one.
    """

    shim_pid: int
    shim_started: str
    pid: int
    pid_started: str
    boot_id: str
    started_at: int
    protocol: int = 1


def read_run(path: Path) -> Run | None:
    """Read the run in the spool `path`; None if nothing ran, or a power loss took the record."""
    try:
        return msgspec.json.decode(read_plain(path / "run.json"), type=Run)
    except (OSError, ValueError, RecursionError):
        return None


def last_words(path: Path) -> str:
    """The last line that the shim complained with, if it did."""
    try:
        lines = read_end(path / "shim.err", 4096).decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def why_lost(path: Path) -> str:
    """The reason why the shim of the spool `path` is dead, as far as that can be known."""
    run = read_run(path)
    if run is not None and run.boot_id != boot_id():
        return "The machine was restarted while it ran."
    words = last_words(path)
    return "The process that supervised it was killed" + (f": {words}" if words else ".")


class _Spec(Struct, frozen=True):
    start: str = ""
    boot_id: str = ""
    withdrawn: bool = False


def withdraw(path: Path) -> None:
    """See to it that no shim that is still on its way starts what the spool `path` was made for.

    To be called with its lock held. What stays says that nothing has run (see `why_unknown`), for
    whoever looks next: the one who has withdrawn it may be killed before it is started again.
    """
    if not path.is_dir():
        return
    spec = {"start": secrets.token_hex(8), "boot_id": boot_id(), "withdrawn": True}
    try:
        write_json(str(path / "spec.json"), spec, lasting=False)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)  # the disk is full, or the directory is not ours


def why_unknown(path: Path) -> str | None:
    """The reason why a program that was handed to a shim may have run although there is no
    `run.json`.

    Returns:
        A sentence for the person; None if it is certain that it did not run.
    """
    try:
        spec = msgspec.json.decode(read_plain(path / "spec.json", LARGEST_SPEC), type=_Spec)
    except FileNotFoundError:
        return "Its files in executions/ were removed while it ran, so how it ended is not known."
    except (OSError, ValueError, RecursionError):
        spec = _Spec()
    if not spec.start:  # a shim takes it out before it lets the program run
        return "Its files in executions/ are damaged, so how it ended is not known."
    if spec.boot_id != boot_id() and not spec.withdrawn:
        return "The machine was restarted while it was being started."
    return None


class Lock:
    """The lock that a shim holds as long as it lives. Where there is no file, nobody holds it.

    Args:
        path: the spool.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd: int | None = open_plain(path / "lock", os.O_RDWR)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise
            self._fd = None  # also if something else is in its place: no shim holds that

    def taken(self) -> bool:
        """Try to take it: if this succeeds, no shim lives, and none can begin until we let go."""
        if self._fd is not None:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
