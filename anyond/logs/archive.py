"""The archive of a finished run's final entries: one line each, in order of index and `seq`, and a
last one that says whose they are and that these are all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from anyond.model.http.frames import EntryFrame


class _Line(Struct, frozen=True):
    seq: int
    index: int
    entry: msgspec.Raw


class _End(Struct, frozen=True, forbid_unknown_fields=True):
    """The last line: the checksum of all before, and the execution that they are of."""

    end: str
    crc32: int


_ends = msgspec.json.Decoder(_End)
_BLOCK = 1 << 20
_LAST = 1 << 12  # more than the last line ever has
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def lines(frames: Iterable[EntryFrame], execution_id: str) -> Iterator[bytes]:
    """The content of an archive, a line at a time: whoever writes it in a thread holds the
    interpreter's lock for one entry, and not for all of them."""
    checksum = 0
    for frame in frames:
        line = _encoder.encode(_Line(frame.seq, frame.index, msgspec.Raw(frame.entry))) + b"\n"
        checksum = zlib.crc32(line, checksum)
        yield line
    yield _encoder.encode(_End(execution_id, checksum)) + b"\n"


def encode(frames: Iterable[EntryFrame], execution_id: str) -> bytes:
    """The content of a small archive."""
    return b"".join(lines(frames, execution_id))


def last_frames(path: Path, most: int) -> list[EntryFrame]:
    """The last `most` entries of an archive, read from its end. Blocking."""
    found: list[bytes] = []
    with path.open("rb") as file:
        position = file.seek(0, 2)
        beginning = b""
        while position > 0 and len(found) <= most + 1:
            length = min(_BLOCK, position)
            position -= length
            file.seek(position)
            beginning, *rest = (file.read(length) + beginning).split(b"\n")
            found = rest + found
        found.insert(0, beginning)
    frames = [frame for line in found[-most - 2 :] if (frame := decode(line)) is not None]
    return frames[-most:]


def count(path: Path) -> int:
    """The number of the entries of an archive. Blocking."""
    with path.open("rb") as file:
        return sum(1 for line in file if decode(line) is not None)


def part(path: Path, start: int, end: int) -> list[EntryFrame]:
    """The entries from index `start` on and before `end`. Blocking."""
    with path.open("rb") as file:
        frames = (decode(line) for line in islice(file, start, end))
        return [frame for frame in frames if frame is not None]


def is_whole(path: Path, execution_id: str, may_lack_end: bool = False) -> bool:
    """Return whether all of an archive is there, as it was written, and of that execution.
    Blocking.

    Args:
        may_lack_end: it may be of an earlier version, which wrote no such last line: then it is
            whole if each line can be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LAST))
            tail = file.read()
            if not tail.endswith(b"\n"):
                return size == 0 and may_lack_end
            last = tail[tail.rfind(b"\n", 0, -1) + 1 :]
            file.seek(0)
            try:
                end = _ends.decode(last)
            except msgspec.MsgspecError:
                return may_lack_end and all(decode(line) is not None for line in file)
            return end.end == execution_id and end.crc32 == _checksum(file, size - len(last))
    except OSError:
        return False


def _checksum(file: IO[bytes], length: int) -> int:
    found = 0
    while length > 0 and (block := file.read(min(_BLOCK, length))):
        found = zlib.crc32(block, found)
        length -= len(block)
    return found


def decode(line: bytes) -> EntryFrame | None:
    """One line of an archive; None if it is the last one, or damaged."""
    try:
        read = _decoder.decode(line)
    except msgspec.MsgspecError:
        return None
    return EntryFrame(read.seq, read.index, bytes(read.entry))
