"""Readers of a spool: its records by position, its output by frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from anyond.model.records import Record, Stream
from anyond.procs.spools.record_scanner import OUTPUT, Gap, Scanner

if TYPE_CHECKING:
    from anyond.procs.spools.spool import Spool

MOST = 1 << 18


class Frame(Struct, frozen=True):
    """One output record under its number.

    Args:
        n: counts up from 0 over both streams.
        at: Unix nanoseconds.
        stream: STDOUT or STDERR.
        data: the bytes; for the frame that stands for a gap, a sentence that says so.
        left_out: how many bytes of the log this frame stands for, else 0.
    """

    n: int
    at: int
    stream: Stream
    data: bytes
    left_out: int = 0


class RecordReader:
    """All records in order, from a position on; it skips what was left out."""

    def __init__(self, path: Path, position: int = 0) -> None:
        self.position = position
        self._scanner = Scanner(path)

    def read(self, most: int = MOST) -> list[Record]:
        """The complete records that are there now, about `most` bytes; [] if there is none yet."""
        records, self.position, _ = self._scanner.read(self.position, most)
        return records

    @property
    def is_at_end(self) -> bool:
        """True if the last `read` gave out all that there was; what is added later is announced."""
        return self._scanner.is_at_end

    def close(self) -> None:
        self._scanner.close()


class FrameReader:
    """The output records in order, from a frame on; for a gap it yields a frame that says so."""

    def __init__(self, spool: Spool, frame: int = 0) -> None:
        self.next = frame
        self._spool = spool
        self._scanner = Scanner(spool.path)
        self._position: int | None = None
        self._number = 0
        self._gap: Gap | None = None

    def read(self, most: int = MOST) -> list[Frame]:
        """The frames that are there now, about `most` bytes of them; [] if there is none yet."""
        if self._position is None:
            self._number = max(0, min(self.next, self._spool.frames() - 1))
            self._position = self._spool.offset(self._number)
        frames: list[Frame] = []
        while not frames:
            try:
                records, self._position, gap = self._scanner.read(self._position, most)
            except OSError:
                break  # whoever owns the run finds out, and ends it
            if gap is not None:
                self._number = gap.end_frame
                self._gap = gap if self.next < gap.end_frame else None
            for record in records:
                if record.stream in OUTPUT:
                    self._add(frames, record)
            if not records:
                break
        return frames

    @property
    def is_at_end(self) -> bool:
        """True if the last `read` gave out all that there was; what is added later is announced."""
        return self._scanner.is_at_end

    def _add(self, frames: list[Frame], record: Record) -> None:
        gap, self._gap = self._gap, None
        if gap is not None:
            text = (
                f"[anyon] {gap.bytes:,} bytes (frames {gap.first_frame}–{gap.end_frame - 1}) were "
                f"left out: the log is limited to {gap.limit:,} bytes.\n"
            )
            n = max(self.next, gap.first_frame)
            frames.append(Frame(n, record.at, Stream.STDERR, text.encode(), gap.bytes))
            self.next = gap.end_frame
        if self._number >= self.next:
            frames.append(Frame(self._number, record.at, record.stream, record.data))
            self.next = self._number + 1
        self._number += 1

    def close(self) -> None:
        self._scanner.close()
