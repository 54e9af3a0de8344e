"""The numbered entries of one run, so that any follower can go on anywhere.

Theory of operation. Each change of an entry is a frame with a number, `seq`; an entry remembers
only its latest one. A follower who has seen everything up to `seq` n needs just the entries whose
number is greater: so nothing is queued for anyone, and a text that was streamed in a thousand
pieces costs a late follower one frame.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from anyond.model.entries import Created, NormalizedEntry, ToolUse
from anyond.model.http.frames import EntryFrame

OVERTAKEN = 256
"""So many changes that nobody needs any more are kept at least, before they are swept."""

_encoder = msgspec.json.Encoder()


class _Slot(Struct):
    key: str
    seq: int
    entry: NormalizedEntry
    encoded: bytes | None = None


class EntryList:
    """Entries by their keys, in the order in which they came.

    Attributes:
        end: the number of the latest change; 0 if there is none.
    """

    def __init__(self) -> None:
        self.end = 0
        self._slots: list[_Slot] = []
        self._indexes: dict[str, int] = {}
        # The numbers of the changes and the entry of each, in order, so that to go on anywhere
        # costs what comes from there. Those that a later one has overtaken are swept now and then.
        self._seqs: list[int] = []
        self._touched: list[int] = []
        # Tools at work: to end a turn must not cost a look at all entries.
        self._at_work: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[NormalizedEntry]:
        return (slot.entry for slot in self._slots)

    def __reversed__(self) -> Iterator[NormalizedEntry]:
        return (slot.entry for slot in reversed(self._slots))

    @property
    def at_work(self) -> list[str]:
        """The keys of tools that have not told their end."""
        return list(self._at_work)

    def get(self, key: str) -> NormalizedEntry | None:
        """The entry as it is now."""
        index = self._indexes.get(key)
        return None if index is None else self._slots[index].entry

    def put(self, key: str, entry: NormalizedEntry) -> None:
        """Add an entry, or change the one of that key; the same again is no change."""
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = len(self._slots)
            self._slots.append(_Slot(key, 0, entry))
        else:
            slot = self._slots[index]
            if entry == slot.entry:
                return
            slot.entry = entry
            slot.encoded = None
        self._touch(index)

    def frames(
        self, after: int = 0, most: int | None = None, most_bytes: float = math.inf
    ) -> list[EntryFrame]:
        """The latest state of every entry that changed after `after`, in the order of `seq`.

        Args:
            most: at most so many, the oldest changes first.
            most_bytes: the last of them is the one with which they are so large together.
        """
        frames: list[EntryFrame] = []
        size = 0
        for place in range(bisect_right(self._seqs, after), len(self._seqs)):
            index = self._touched[place]
            if self._slots[index].seq == self._seqs[place]:
                frames.append(self._frame(index))
                size += len(frames[-1].entry)
                if len(frames) == most or size >= most_bytes:
                    break
        return frames

    def before_last(self, most: int) -> int:
        """The position after which the last `most` entries come (and older ones changed since)."""
        last = self._slots[-most:]
        return min((slot.seq for slot in last), default=1) - 1

    def part(self, start: int, end: int) -> list[EntryFrame]:
        """The entries from index `start` on and before `end`, as they are now."""
        return [self._frame(index) for index in range(start, min(end, len(self._slots)))]

    def final_frames(self) -> list[EntryFrame]:
        """All entries in the order of their index, renumbered so that `seq` rises with it.

        No number is smaller than the live one was; so whoever had seen the live conversation up to
        n and goes on in the archive after n misses nothing.
        """
        frames = []
        seq = 0
        for index in range(len(self._slots)):
            frame = self._frame(index)
            seq = max(seq + 1, frame.seq)
            frames.append(EntryFrame(seq, index, frame.entry))
        return frames

    def _frame(self, index: int) -> EntryFrame:
        slot = self._slots[index]
        if slot.encoded is None:
            slot.encoded = _encoder.encode(slot.entry)
        return EntryFrame(slot.seq, index, slot.encoded)

    def _touch(self, index: int) -> None:
        slot = self._slots[index]
        tool = slot.entry.entry_type
        if isinstance(tool, ToolUse) and isinstance(tool.status, Created):
            self._at_work[slot.key] = None
        else:
            self._at_work.pop(slot.key, None)
        self.end += 1
        slot.seq = self.end
        self._seqs.append(self.end)
        self._touched.append(index)
        if len(self._seqs) > 2 * len(self._slots) + OVERTAKEN:
            self._sweep()

    def _sweep(self) -> None:
        """Forget the changes that later ones have overtaken: no follower needs them."""
        pairs = zip(self._seqs, self._touched, strict=True)
        latest = [(seq, index) for seq, index in pairs if self._slots[index].seq == seq]
        self._seqs = [seq for seq, _ in latest]
        self._touched = [index for _, index in latest]
