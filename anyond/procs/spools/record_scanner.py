"""Scanning the bytes of a log for records, whatever those bytes are."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from anyond.model.records import Record, Stream
from anyond.procs.spools.spool_files import open_plain, read_plain

STREAMS = {stream.value.encode(): stream for stream in Stream}
OUTPUT = (Stream.STDOUT, Stream.STDERR)
HEADER = 64  # bytes that a header may have
PAGE = 4096  # bytes that come to the disk together
LARGEST = 256 << 20  # bytes of one record; a header that says more is rubbish
LATEST = 9_000_000_000 * 10**9  # Unix nanoseconds; a later record is shown as of then
_FARTHEST = 1 << 62
MARGIN = 1 << 17  # bytes read beyond what was asked for, so that a record is seldom read twice


class Gap(Struct, frozen=True, kw_only=True):
    """The middle of a log that had grown too large.

    Args:
        start: offset of the first record that is left out; it is an output record.
        end: offset of the first record that is there again; also an output record.
        bytes: how many were left out.
        first_frame: number of the output record at `start`.
        end_frame: number of the output record at `end`.
        limit: bytes that the log may have.
    """

    start: int
    end: int
    bytes: int
    first_frame: int
    end_frame: int
    limit: int = 0


def parse(block: bytes, base: int) -> tuple[list[Record], int, int]:
    """The complete records at the start of `block`.

    Args:
        block: bytes of a log from the beginning of a record on.
        base: their offset in the log.

    Returns:
        The records; how many bytes they take; how many the next one takes, or 0 if what follows is
        not (yet) a header.
    """
    records: list[Record] = []
    append = records.append
    used, size = 0, len(block)
    while used < size:
        end = block.find(b"\n", used, used + HEADER)
        words = block[used:end].split(b" ") if end > 0 else ()
        if len(words) != 3 or not (words[0].isdigit() and words[2].isdigit()):
            return records, used, 0
        stream = STREAMS.get(words[1])
        if stream is None:
            return records, used, 0
        at, length = min(int(words[0]), LATEST), int(words[2])
        if length > LARGEST:
            return records, used, 0
        begin = end + 1
        after = begin + length
        if after > size:
            return records, used, after - used
        append(Record(at, stream, block[begin:after], base + used))
        used = after
    return records, used, 0


class Scanner:
    """Reads a log in steps; one file descriptor, opened when there is something.

    Whether something was left out is not looked up for each line that an agent adds.

    Args:
        path: the spool.

    Attributes:
        is_at_end: whether the last `read` saw the end of the log.
    """

    def __init__(self, path: Path) -> None:
        self.is_at_end = False
        self._is_whole = False
        self._has_looked = False
        self._log = path / "log"
        self._gap_path = path / "gap.json"
        self._fd: int | None = None
        self._gap_seen: tuple[int, int] | None = None
        self.gap: Gap | None = None

    def read(self, position: int, most: int) -> tuple[list[Record], int, Gap | None]:
        """Complete records from `position` on, about `most` bytes of them, at least one.

        Returns:
            The records, the position behind them, and the gap if it was crossed before them.

        Raises:
            OSError: the log cannot be read, or something else is in its place.
        """
        while True:
            if self.gap is not None or not self._has_looked:
                self._look_for_gap()
            gap = self.gap
            crossed = gap if gap and gap.start <= position < gap.end else None
            begin = crossed.end if crossed else position
            room = gap.start - begin if gap and begin < gap.start else 1 << 62
            records, used = self._records(begin, most, room)
            if gap is None and self._is_whole:
                return records, begin + used, None
            # A hole may have been made under our hands, after the gap was announced.
            if not self._look_for_gap() or self.gap is None or self.gap.start >= begin + used:
                return records, begin + used, crossed

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _records(self, position: int, most: int, room: int) -> tuple[list[Record], int]:
        if self._fd is None:
            try:
                self._fd = open_plain(self._log)
            except FileNotFoundError:
                self.is_at_end, self._is_whole = True, False
                return [], 0  # not started yet
        asked = min(most + MARGIN, room)
        block = os.pread(self._fd, asked, position)
        self.is_at_end = len(block) < asked
        # What is left out ends well before the end of a log; and holes are full of zeros.
        self._is_whole = self.is_at_end and b"\0" not in block
        records, used, need = parse(block, position)
        if not records and need > len(block) and os.fstat(self._fd).st_size >= position + need:
            records, used, _ = parse(os.pread(self._fd, need, position), position)
        return records, used

    def _look_for_gap(self) -> bool:
        """Learn of the gap; whether it has changed."""
        self._has_looked = True
        try:
            stat = os.lstat(self._gap_path)
            seen = (stat.st_ino, stat.st_mtime_ns)
            if seen == self._gap_seen:
                return False
            self.gap = read_gap(self._gap_path)
        except FileNotFoundError:
            changed = self.gap is not None
            self._gap_seen = self.gap = None
            return changed
        self._gap_seen = seen
        return True


def read_gap(path: Path) -> Gap | None:
    """The content of `gap.json`; None if it is damaged.

    Raises:
        FileNotFoundError: nothing was left out.
    """
    try:
        gap = msgspec.json.decode(read_plain(path), type=Gap)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError):
        return None
    inside = 0 <= gap.start < gap.end <= _FARTHEST
    return gap if inside and 0 <= gap.first_frame <= gap.end_frame <= _FARTHEST else None


def first_lost(log: Path, gap: Gap | None) -> int:
    """Return the start of the first page that has nothing but zeros; the size if there is none."""
    position = 0
    with log.open("rb") as file:
        while block := file.read(1 << 18):
            for at in range(0, len(block), PAGE):
                page = position + at
                left_out = gap is not None and gap.start < page + PAGE and page < gap.end
                if not left_out and not block[at : at + PAGE].strip(b"\0"):
                    return page
            position += len(block)
    return position
