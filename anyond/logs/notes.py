"""Notes of Anyon in a log, between the bytes of the agent: decisions and remarks.

Because they are records like all others, a replay of the log knows everything that the live
conversation knew.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from anyond.agents.common.core import Decision


class Decided(Struct, frozen=True, kw_only=True, tag="decided", tag_field="note"):
    """The end of the approval request `call`."""

    call: str
    decision: Decision = field(name="verdict")
    reason: str | None = None
    answers: dict[str, Any] | None = None


class Remark(Struct, frozen=True, kw_only=True, tag="remark", tag_field="note"):
    """A sentence for the person.

    Args:
        error: whether it tells of something that went wrong.
        setup: whether the cure is to install or set up the agent.
    """

    text: str
    error: bool = False
    setup: bool = False


class Quiet(Struct, frozen=True, kw_only=True, tag="quiet", tag_field="note"):
    """The agent, whose turn runs, has said nothing for so many seconds, and is waited for on."""

    seconds: int


class Unanswered(Struct, frozen=True, kw_only=True, tag="unanswered", tag_field="note"):
    """The agent has not answered its handshake in so many seconds, and is given up."""

    seconds: int


Note = Decided | Remark | Quiet | Unanswered

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Note] = msgspec.json.Decoder(Note)


def encode(note: Note) -> bytes:
    """The bytes of a NOTE record."""
    return _encoder.encode(note) + b"\n"


def decode(data: bytes) -> Note | None:
    """The note in a record; None if it is not one that this version knows."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError:
        return None
