"""Limits for the entries and open approval requests of one run, however much an agent sends.

The raw log has its own limit on the disk; what is made of it lives in memory, is sent to every
client that joins, and becomes rows.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from anyond.agents.common.entry import TEXT_MOST, bounded
from anyond.model.entries import NormalizedEntry, Other, ToolUse, UserMessage

ENTRIES_MOST = 50_000
"""So many entries a run has."""

BYTES_MOST = 128 * 1024**2
"""So much they weigh together, about."""

ENTRY_MOST = 2 * 1024**2
"""Bytes of one entry; it is sent to every client, again whenever it changes."""

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
TOO_LARGE = "This is too large to be shown here; it is in the raw log."
OWN = "anyon:"
"""How the keys of entries begin that are not the agent's: there are few, and they matter."""

_ENVELOPE_BYTES = 256
_NAME_MOST = 1000
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

    def fit(self, key: str, entry: NormalizedEntry) -> NormalizedEntry | None:
        """Return the part of `entry` that may be put under `key`; it counts. None if there is no
        room for it.

        What a person has said and what is Anyon's own always fits.
        """
        if key.startswith(OWN) or isinstance(entry.entry_type, UserMessage):
            return entry
        entry, new = _cut(entry)
        old = self._weights.get(key)
        grown = new - (old or 0)
        if (old is None and len(self._weights) >= self._entries) or (
            grown > 0 and self._sum + grown > self._most
        ):
            self.full = True
            return None
        self._weights[key] = new
        self._sum += grown
        return entry

    def remark(self) -> str:
        """Return the remark that a reader gets instead of the rest."""
        return FULL.format(entries=self._entries, mebibytes=self._most // 1024**2)


def displayed_input(tool_input: Any) -> Any:
    """Return the displayed part of a tool's input; it becomes a row."""
    return tool_input if len(_encoder.encode(tool_input)) <= ENTRY_MOST else TOO_LARGE


def _cut(entry: NormalizedEntry) -> tuple[NormalizedEntry, int]:
    """Return the displayed part of an entry, and its weight."""
    if len(entry.content) > TEXT_MOST:
        entry = replace(entry, content=bounded(entry.content))
    tool = entry.entry_type
    if not isinstance(tool, ToolUse):
        return entry, len(entry.content) + _ENVELOPE_BYTES
    weight = len(_encoder.encode(entry))
    if weight <= ENTRY_MOST:
        return entry, weight
    left = ToolUse(
        tool_name=tool.tool_name[:_NAME_MOST],
        action_type=Other(description=TOO_LARGE),
        status=tool.status,
    )
    call = entry.metadata if len(_encoder.encode(entry.metadata)) <= _NAME_MOST else None
    entry = replace(entry, entry_type=left, content=entry.content[:_NAME_MOST], metadata=call)
    return entry, len(_encoder.encode(entry))
