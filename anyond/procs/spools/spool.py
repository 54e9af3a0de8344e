"""The spool of one execution: its files, and reading it by position or by frame.

A spool is a directory: `log` (records: a header line `<unix ns> <stream> <length>` and then exactly
that many bytes), `log.idx` (for each record of stdout and stderr its offset in the log, 8 bytes,
little-endian: frame n is entry n), `run.json` (the program has been started), `exit.json` (it is
over), `gap.json` (what was left out of a log that had grown too large), `lock` (held by the shim as
long as it lives), `s` (its socket), `k` (the socket of what keeps services), `spec.json` (what was
started) and `shim.err` (its last words).
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from array import array
from contextlib import suppress
from pathlib import Path

import msgspec

from anyond.model.errors import Unavailable
from anyond.model.records import Exit, Stream
from anyond.procs.spools.record_scanner import (
    HEADER,
    LATEST,
    OUTPUT,
    Gap,
    Scanner,
    first_lost,
    parse,
    read_gap,
)
from anyond.procs.spools.spool_files import make_way, open_plain, read_plain
from anyond.procs.spools.spool_readers import MOST, FrameReader, RecordReader
from anyond.shim.spool.log import write_json


class Spool:
    """The directory of one execution; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = path / "log"
        self._index = path / "log.idx"

    def frames(self) -> int:
        """The number of complete output records."""
        return _size(self._index) // 8

    def size(self) -> int:
        """Bytes of the log, left-out ones included."""
        return _size(self._log)

    def offset(self, frame: int) -> int:
        """Return the offset of the record of `frame`; 0 if there is no such frame."""
        try:
            fd = open_plain(self._index)
        except OSError:
            return 0
        try:
            found = int.from_bytes(os.pread(fd, 8, frame * 8), "little")
        finally:
            os.close(fd)
        return found if found < self.size() else 0

    def exit(self) -> Exit | None:
        """The end of the execution; None if it has not ended (or nobody could write it down)."""
        try:
            return _plausible(msgspec.json.decode(read_plain(self.path / "exit.json"), type=Exit))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            return Exit(error="The record of how it ended is damaged.")

    def gap(self) -> Gap | None:
        """The part that was left out."""
        try:
            return read_gap(self.path / "gap.json")
        except FileNotFoundError:
            return None

    def records(self, position: int = 0) -> RecordReader:
        """A reader of all records; `position` is 0 or what such a reader told."""
        return RecordReader(self.path, position)

    def output(self, frame: int = 0) -> FrameReader:
        """A reader of the output from `frame` on, which may be a future one."""
        return FrameReader(self, frame)

    # ------------------------------------------------------------ only while no shim lives

    def append_note(self, data: bytes, at: int) -> None:
        """Add a NOTE record; `at` is in Unix nanoseconds. No shim may live.

        Raises:
            Unavailable: the disk does not take it.
        """
        self._append(Stream.NOTE, data, at)

    def append_output(self, stream: Stream, data: bytes, at: int) -> None:
        """Add an output record, as if the program had said it. No shim may live.

        Raises:
            Unavailable: the disk does not take it.
        """
        self._append(stream, data, at)

    def sync(self) -> None:
        """Let what was appended survive a power loss. No shim may live.

        Raises:
            Unavailable: the disk does not take it.
        """
        try:
            for path in (self._log, self._index):
                with suppress(FileNotFoundError):  # nothing was said
                    _sync(path)
        except OSError as error:
            raise self._unwritable(error) from error

    def write_exit(self, exit_: Exit) -> None:
        """Write down how it ended, once and for all; survives a power loss.

        Raises:
            Unavailable: the disk does not take it.
        """
        try:
            self.make_way()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_json(str(self.path / "exit.json"), msgspec.to_builtins(exit_))
        except OSError as error:
            raise self._unwritable(error) from error

    def make_way(self) -> None:
        """Set aside what is no file of a spool, but stands in the place of one. No shim may live.

        Raises:
            OSError: the directory cannot be changed.
        """
        make_way(self.path)

    def trim(self, *, restarted: bool = False) -> int:
        """Cut off what a crash left unfinished, and repair the end of the index. No shim may live.

        Args:
            restarted: the machine may have lost power: any page that was not synced may read as
                zeros, and the index is not believed.

        Returns:
            How many bytes were cut off.
        """
        if not self._log.is_file():
            return 0
        size, gap = self.size(), self.gap()
        whole = first_lost(self._log, gap) if restarted else size
        # Zeros read back where a file had grown but its bytes had not reached the disk.
        entries = array(
            "Q",
            # One that is larger than its log is no index.
            self._index.read_bytes()[: self.frames() * 8] if 0 < self.frames() * 8 <= size else b"",
        )
        if sys.byteorder == "big":
            entries.byteswap()
        with self._log.open("r+b") as log, self._index.open("a+b") as index:
            good = 0
            previous = -1
            log.truncate(whole)
            for entry in [] if restarted else entries:
                if not previous < entry < size:
                    break
                good, previous = good + 1, entry
            while good and not self._is_output(log.fileno(), entries[good - 1], gap):
                good -= 1
            del entries[good:]
            position = entries.pop() if entries else 0
            scanner = Scanner(self.path)
            while True:
                records, position, crossed = scanner.read(position, MOST)
                if crossed is not None:
                    # Nobody looks these up: a reader that meets the gap goes on behind it.
                    missing = range(crossed.end_frame - len(entries))
                    entries.extend(crossed.start + i for i in missing)
                entries.extend(r.position for r in records if r.stream in OUTPUT)
                if not records:
                    break
            scanner.close()
            log.truncate(position)
            if sys.byteorder == "big":
                entries.byteswap()
            index.truncate(0)
            index.write(entries.tobytes())
            for file in (log, index):
                file.flush()
                os.fsync(file.fileno())
        return size - position

    @staticmethod
    def _is_output(fd: int, position: int, gap: Gap | None) -> bool:
        """Return whether the header of an output record stands at `position`."""
        if gap is not None and gap.start <= position < gap.end:
            return False
        line = os.pread(fd, HEADER, position).split(b"\n")[0]
        # Its data do not matter here, so let it have none.
        records, _, _ = parse(line[: line.rfind(b" ")] + b" 0\n", position)
        return bool(records) and records[0].stream in OUTPUT

    def _append(self, stream: Stream, data: bytes, at: int) -> None:
        header = f"{at} {stream.value} {len(data)}\n".encode()
        try:
            self.make_way()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            position = _extend(self._log, header + data)
            if stream in OUTPUT:
                _extend(self._index, position.to_bytes(8, "little"))
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> Unavailable:
        return Unavailable(f"The spool {self.path} could not be written: {error.strerror}.")


def _plausible(exit_: Exit) -> Exit:
    """Check that a database takes its numbers, and a clock can show its time."""
    codes = [n for n in (exit_.code, exit_.signal, exit_.leftovers) if n is not None]
    if not all(-(1 << 31) <= n < 1 << 32 for n in codes) or not 0 <= exit_.ended_at <= LATEST:
        raise ValueError("no such exit")
    return exit_


def _size(path: Path) -> int:
    """Bytes of an ordinary file; 0 of anything else."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _sync(path: Path) -> None:
    fd = open_plain(path)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _extend(path: Path, content: bytes) -> int:
    """Append all of `content` or nothing; the size before."""
    fd = open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        size = os.fstat(fd).st_size
        if os.write(fd, content) < len(content):
            os.ftruncate(fd, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)
    return size
