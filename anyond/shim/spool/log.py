"""Writing the log: whole records at known offsets, on full disks and within a limit.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import struct
import sys
import time
from collections import deque

from anyond.shim.processes.process_table import LINUX

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from anyond.shim.spool.files import Exit, Gap


def clear_place(name: str, of_files: bool = False) -> None:
    """Give a directory that an agent has put in the place of a file of ours another name.

    Args:
        of_files: whether everything else goes, too: links, pipes, what a crash has left.
    """
    try:
        mode = os.lstat(name).st_mode
    except FileNotFoundError:
        return
    if mode & 0o170000 == 0o040000:
        os.rename(name, f"{name}.strange-{time.time_ns()}")
    elif of_files:
        os.unlink(name)


def write_json(name: str, value: Mapping[str, Any], lasting: bool = True) -> None:
    """Write a small file at once or not at all; `lasting` makes it survive a power loss."""
    clear_place(name + ".tmp", of_files=True)
    fd = os.open(name + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        text = json.dumps(value).encode()
        while text:
            text = text[os.write(fd, text) :]
        if lasting:
            os.fsync(fd)
    finally:
        os.close(fd)
    clear_place(name)
    os.rename(name + ".tmp", name)
    if lasting:
        fd = os.open(os.path.dirname(name) or ".", os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def punch(fd: int, start: int, end: int) -> None:
    """Give the bytes [start, end) back to the disk; what stands behind them keeps its offset.

    Raises:
        OSError: this file system cannot.
    """
    start, end = (start + 4095) & ~4095, end & ~4095
    if end <= start:
        return
    if LINUX:
        libc = ctypes.CDLL(None, use_errno=True)
        fallocate = getattr(libc, "fallocate64", None) or libc.fallocate
        fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
        if fallocate(fd, 0x01 | 0x02, start, end - start):  # KEEP_SIZE | PUNCH_HOLE
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    else:  # F_PUNCHHOLE with struct fpunchhole
        fcntl.fcntl(fd, 99, struct.pack("=IIqq", 0, 0, start, end - start))


class Log:
    """The files `log` and `log.idx`; a full disk makes it keep records in memory.

    Args:
        limit: bytes of disk it may take before its middle is left out.
        on_write: called with the bytes of a stdin record as soon as it is written.
    """

    def __init__(self, limit: int, on_write: Callable[[bytes], None]) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.file = os.open("log", flags, 0o600)
        self.index = os.open("log.idx", flags, 0o600)
        self.on_write = on_write
        self.limit = limit
        self.size = os.lseek(self.file, 0, os.SEEK_END)
        self.indexed = os.lseek(self.index, 0, os.SEEK_END)
        self.grown = False
        self.waiting: deque[tuple[bytes, bytes, bytes]] = deque()
        self.held = 0
        self.entries = bytearray()
        self.gap: Gap | None = None
        self.shorten_at = limit

    @property
    def trouble(self) -> bool:
        """True if something is in memory that belongs on the disk."""
        return bool(self.waiting or self.entries)

    def append(self, name: bytes, data: bytes | memoryview) -> None:
        header = b"%d %s %d\n" % (time.time_ns(), name, len(data))
        if self.trouble or not self._write(name, header, data):
            self.waiting.append((name, header, bytes(data)))
            self.held += len(data)

    def retry(self) -> None:
        """Write what had to wait, as far as the disk allows."""
        while self._write_index() and self.waiting and self._write(*self.waiting[0]):
            self.held -= len(self.waiting.popleft()[2])

    def sync(self) -> None:
        """Let all that is written survive a power loss. Raises OSError."""
        os.fsync(self.file)
        os.fsync(self.index)

    def _write(self, name: bytes, header: bytes, data: bytes | memoryview) -> bool:
        length = len(header) + len(data)
        try:
            done = os.writev(self.file, (header, data))
        except OSError:
            done = 0
        if done < length:
            # Take the stump away; if even that fails, the next try overwrites it in place.
            try:
                os.lseek(self.file, self.size, os.SEEK_SET)
                os.ftruncate(self.file, self.size)
            except OSError:
                pass
            return False
        if name in (b"stdout", b"stderr"):
            self.entries += self.size.to_bytes(8, "little")
        self.size += length
        self.grown = True
        self._write_index()
        if name == b"stdin":
            self.on_write(bytes(data))
        if self.size > self.shorten_at:
            self._shorten()
        return True

    def _write_index(self) -> bool:
        if self.entries:
            try:
                done = os.write(self.index, self.entries)
            except OSError:
                done = 0
            if done < len(self.entries):
                try:
                    os.lseek(self.index, self.indexed, os.SEEK_SET)
                    os.ftruncate(self.index, self.indexed)
                except OSError:
                    pass  # as above: the next try overwrites it
                return False
            self.indexed += done
            self.entries.clear()
        return True

    def _frame_at(self, position: int) -> tuple[int, int] | None:
        """The first output record at or behind `position`: (its number, its offset)."""
        low, high = 0, self.indexed // 8
        while low < high:
            middle = (low + high) // 2
            if self._offset(middle) < position:
                low = middle + 1
            else:
                high = middle
        return (low, self._offset(low)) if low < self.indexed // 8 else None

    def _offset(self, frame: int) -> int:
        return int.from_bytes(os.pread(self.index, 8, frame * 8), "little")

    def _shorten(self) -> None:
        """Leave out more of the middle, so that 7/8 of the limit are kept."""
        old, step = self.gap, self.limit // 8
        self.shorten_at = self.size + step  # if nothing comes of it now
        first = (old["first_frame"], old["start"]) if old else self._frame_at(self.limit // 2)
        end = self._frame_at(self.size - 3 * step)
        done = old["end"] if old else first[1] if first else 0
        if not first or not end or end[1] <= done:
            return
        gap: Gap = {
            "start": first[1],
            "end": end[1],
            "bytes": end[1] - first[1],
            "first_frame": first[0],
            "end_frame": end[0],
            "limit": self.limit,
        }
        try:
            write_json("gap.json", gap)
        except OSError:
            return  # the disk is full: later
        try:
            punch(self.file, max(gap["start"], done & ~4095), gap["end"])
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                self.shorten_at = sys.maxsize  # no holes on this file system: the log just grows
            if old is None:
                os.unlink("gap.json")
                return
            # Bytes that are said to be left out may well be there: keep the greater gap.
        self.gap = gap
        self.shorten_at = max(self.shorten_at, gap["bytes"] + self.limit)


def write_exit(exit_: Exit) -> None:
    """Write `exit.json`; nothing of this execution changes after it."""
    write_json("exit.json", exit_)
