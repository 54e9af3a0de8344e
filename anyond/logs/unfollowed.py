"""The log of a run that runs while nobody here can follow it."""

from __future__ import annotations

import msgspec

from anyond.model.entries import ErrorMessage, NormalizedEntry
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import timestamp_ns

BEYOND = 1 << 52
"""The number of such a frame: later than all that the log has, so whoever has seen it reads that
from the beginning when it can be followed again."""


def entry(why: str, at: int) -> EntryFrame:
    """The only entry of an agent's run, until its log is read.

    Args:
        why: a sentence for the person.
        at: Unix nanoseconds.
    """
    found = NormalizedEntry(entry_type=ErrorMessage(), content=why, timestamp=timestamp_ns(at))
    return EntryFrame(BEYOND, 0, msgspec.json.encode(found))
