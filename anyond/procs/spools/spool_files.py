"""Opening the files of a spool, in whose place an agent can put links, pipes, rubbish."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

LARGEST = 1 << 20  # bytes of a file that is read as a whole: what is larger is none of ours
SOCKETS = {"s", "k"}  # the shim's, and that of what it keeps when the lock is let go


def open_plain(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of an ordinary file; never waits for anybody, and follows no link.

    Raises:
        FileNotFoundError: there is nothing.
        OSError: it is something else, or cannot be opened.
    """
    flags |= os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o600)
    except PermissionError:
        # It is ours, whatever has become of its mode. Where chmod cannot leave links alone, Python
        # says so by NotImplementedError, and the next open says what is wrong.
        with suppress(OSError, NotImplementedError):
            os.chmod(path, 0o600, follow_symlinks=False)
        fd = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "It is no ordinary file", str(path))
    return fd


def read_plain(path: Path, largest: int = LARGEST) -> bytes:
    """All bytes of a small file.

    Raises:
        FileNotFoundError: there is nothing.
        OSError: it is no ordinary file, is larger than `largest`, or cannot be read.
    """
    fd = open_plain(path)
    try:
        content = _read(fd, largest + 1, 0)
    finally:
        os.close(fd)
    if len(content) > largest:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def read_end(path: Path, most: int) -> bytes:
    """The last `most` bytes of a file. Raises as `read_plain`, whatever its size."""
    fd = open_plain(path)
    try:
        return _read(fd, most, max(0, os.fstat(fd).st_size - most))
    finally:
        os.close(fd)


def make_way(spool: Path) -> None:
    """Give whatever stands in the place of a spool's directory, or of a file in it, another name.

    So it is not there for whoever reads, and not in the way of whoever writes. Only while no shim
    holds the lock: it would not find its files any more. A shim that has let go of it may still
    keep services, and is found at its socket.

    Raises:
        OSError: the directory cannot be changed.
    """
    try:
        mode = os.lstat(spool).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        _set_aside(spool)
        return
    if mode & 0o700 != 0o700:
        os.chmod(spool, 0o700)
    with os.scandir(spool) as found:
        strange = [
            entry.path
            for entry in found
            if not (entry.is_file(follow_symlinks=False) or _is_socket(entry))
            and ".strange-" not in entry.name
        ]
    for path in strange:
        _set_aside(Path(path))


def _is_socket(entry: os.DirEntry[str]) -> bool:
    return entry.name in SOCKETS and stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode)


def _set_aside(path: Path) -> None:
    os.rename(path, path.with_name(f"{path.name}.strange-{time.time_ns()}"))


def _read(fd: int, most: int, position: int) -> bytes:
    pieces = []
    while most > 0 and (piece := os.pread(fd, min(most, LARGEST), position)):
        pieces.append(piece)
        position += len(piece)
        most -= len(piece)
    return b"".join(pieces)
