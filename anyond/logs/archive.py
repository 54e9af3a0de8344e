"""How the final entries of a finished run are kept: one line each, in order of index and `seq`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from anyond.model.frames import EntryFrame


class _Line(Struct, frozen=True):
    seq: int
    index: int
    entry: msgspec.Raw


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def lines(frames: Iterable[EntryFrame]) -> Iterator[bytes]:
    """The content of an archive, a line at a time: whoever writes it in a thread holds the
    interpreter's lock for one entry, and not for all of them."""
    for frame in frames:
        yield _encoder.encode(_Line(frame.seq, frame.index, msgspec.Raw(frame.entry))) + b"\n"


def encode(frames: Iterable[EntryFrame]) -> bytes:
    """The content of a small archive."""
    return b"".join(lines(frames))


def decode(line: bytes) -> EntryFrame | None:
    """One line of an archive; None if it is damaged."""
    try:
        read = _decoder.decode(line)
    except msgspec.MsgspecError:
        return None
    return EntryFrame(read.seq, read.index, bytes(read.entry))
