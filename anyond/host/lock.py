"""The lock of a data directory: of two daemons, the one that holds it may have the directory."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from anyond.host.daemon_file import DaemonFile
from anyond.model.errors import Unavailable
from anyond.model.refusals.daemon import AlreadyRunning

# A process that a daemon was just starting when it died has the lock open until its exec is over:
# then nobody who lives says to hold it, and a moment later nobody holds it.
_RELEASE_TIMEOUT_S = 1.0


@contextmanager
def sole_daemon(path: Path, daemon_file: Path | None = None) -> Iterator[None]:
    """Hold the lock at `path` while inside; a killed process loses it at once.

    Blocks for a second at most, before there is a loop that this could hold up.

    The file itself stays: to remove it would let two daemons lock two files of one name.

    Args:
        daemon_file: the other daemon's `daemon.json`, only read to tell where it is.

    Raises:
        AlreadyRunning: another process holds it.
        Unavailable: the file cannot be opened, or its file system knows no locks.
    """
    try:
        # Not inheritable: what the daemon starts lives longer than the daemon, the lock must not.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        _take(descriptor, path, daemon_file)
        os.ftruncate(descriptor, 0)
        with suppress(OSError):  # only a hint, and a full disk has no room for it
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, daemon_file: Path | None) -> None:
    deadline = time.monotonic() + _RELEASE_TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise Unavailable(f"{path} cannot be locked: {error.strerror}.") from error
        pid = _holder(descriptor)
        if pid is not None or time.monotonic() > deadline:
            found = DaemonFile.read(daemon_file) if daemon_file else None
            url = found.url if found is not None and found.pid == pid else None
            raise AlreadyRunning(pid, url)
        time.sleep(0.02)


def _holder(descriptor: int) -> int | None:
    """The process that says to hold the lock, if it lives."""
    text = os.pread(descriptor, 32, 0).strip()
    if not text.isdigit() or len(text) > 9:
        return None
    try:
        os.kill(int(text), 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, and somebody else's
    return int(text)
