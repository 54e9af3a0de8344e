"""Taking records of a spool into a conversation without holding up everybody else.

A record has up to 256 KiB, and an agent may write a hundred thousand lines into it; what a line
costs is not known before. So records are taken in slices, with a checkpoint whenever the time of a
turn of the loop is used up. Where a slice ends does not matter: a dialogue reads a stream.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import chain

import trio
from msgspec.structs import replace

from anyond.logs.conversation import Conversation
from anyond.model.records import Record, Stream

SLICE = 4096
"""Bytes that are taken at once; of the shortest lines there are, some milliseconds."""
TURN_S = 0.01
MOMENT_S = 0.001


async def feed(conversation: Conversation, records: Iterable[Record]) -> None:
    """Take in `records`, in order. Checkpoints about every `TURN_S` seconds, and at the end.

    What takes less than `MOMENT_S` (a line of an agent) is taken without any.

    If it is cancelled, the conversation has taken in a part of them and must not be used again.
    """
    pieces = chain.from_iterable(map(_slices, records))
    await _run(chain.from_iterable(map(conversation.steps, pieces)))


async def close(conversation: Conversation, at: int, complaint: str | None = None) -> None:
    """Let nothing stay open in `conversation`, as `feed` does it; see `Conversation.closing`."""
    await _run(conversation.closing(at, complaint))


async def _run(steps: Iterator[None]) -> None:
    begun = time.perf_counter()
    end = begun + TURN_S
    for _ in steps:
        if time.perf_counter() > end:
            await trio.lowlevel.checkpoint()
            end = time.perf_counter() + TURN_S
    if time.perf_counter() > begun + MOMENT_S:
        await trio.lowlevel.checkpoint()


def _slices(record: Record) -> Iterator[Record]:
    """A note is one message; of anything else, a part is as good as the whole."""
    if len(record.data) <= SLICE or record.stream is Stream.NOTE:
        yield record
        return
    for start in range(0, len(record.data), SLICE):
        yield replace(record, data=record.data[start : start + SLICE])
