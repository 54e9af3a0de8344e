"""How much of one run is kept as entries and as open questions, however much an agent says.

The raw log has its own limit on the disk; what is made of it lives in memory, is sent to every
client that joins, and becomes rows.
"""

from __future__ import annotations

import msgspec

from anyond.model.entries import NormalizedEntry, ToolUse, UserMessage

ENTRIES_MOST = 50_000
"""So many entries a run has."""

BYTES_MOST = 128 * 1024**2
"""So much they weigh together, about."""

OPEN_MOST = 64
"""So many questions wait for a person at once."""

ASKED_MOST = 10_000
"""So many questions a run asks."""

FULL = (
    "The agent has said more than is shown here ({entries:,} entries, {mebibytes} MiB). What "
    "follows is only in the raw log."
)
TOO_MANY_QUESTIONS = (
    "The agent asked too many questions ({open_} at once, {asked:,} in all). Those that did not "
    "fit were refused without being shown."
)
OWN = "anyon:"
"""How the keys of entries begin that are not the agent's: there are few, and they matter."""

_ENVELOPE_BYTES = 256
_encoder = msgspec.json.Encoder()


class Bounds:
    """Weighs the entries of one run.

    Attributes:
        full: whether something was left out.
    """

    def __init__(self, entries: int = ENTRIES_MOST, weight: int = BYTES_MOST) -> None:
        self.full = False
        self._entries = entries
        self._most = weight
        self._weights: dict[str, int] = {}
        self._sum = 0

    def takes(self, key: str, entry: NormalizedEntry) -> bool:
        """Whether `entry` may be put under `key`; if so, it counts. What a person has said and what
        is Anyon's own always may."""
        if key.startswith(OWN) or isinstance(entry.entry_type, UserMessage):
            return True
        old, new = self._weights.get(key), _weight(entry)
        grown = new - (old or 0)
        if (old is None and len(self._weights) >= self._entries) or (
            grown > 0 and self._sum + grown > self._most
        ):
            self.full = True
            return False
        self._weights[key] = new
        self._sum += grown
        return True

    def remark(self) -> str:
        """What a reader is told instead of the rest."""
        return FULL.format(entries=self._entries, mebibytes=self._most // 1024**2)


def _weight(entry: NormalizedEntry) -> int:
    if isinstance(entry.entry_type, ToolUse):
        return len(_encoder.encode(entry))
    return len(entry.content) + _ENVELOPE_BYTES
