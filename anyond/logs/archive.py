"""How the final entries of a finished run are kept: one line each, in order of index and `seq`."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from anyond.model.frames import EntryFrame


class _Line(Struct, frozen=True):
    seq: int
    index: int
    entry: msgspec.Raw


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def encode(frames: list[EntryFrame]) -> bytes:
    """The content of an archive."""
    return b"".join(
        _encoder.encode(_Line(f.seq, f.index, msgspec.Raw(f.entry))) + b"\n" for f in frames
    )


def decode(line: bytes) -> EntryFrame | None:
    """One line of an archive; None if it is damaged."""
    try:
        read = _decoder.decode(line)
    except msgspec.MsgspecError:
        return None
    return EntryFrame(read.seq, read.index, bytes(read.entry))
