"""The events of a dialogue that nobody has taken yet.

Theory of operation. Entries live in small objects that know how to make their entry. A change puts
its object among the events, and the entry is made once, when the events are taken: a thousand
pieces of text in one record cost one join and one event.
"""

from __future__ import annotations

from msgspec import Struct

from anyond.agents.common.core import AgentEvent, EntryPut
from anyond.agents.common.entry import Note, Source
from anyond.model.entries import EntryType, SystemMessage


class PendingEvents:
    """Events in the order in which they came, each changed entry among them once."""

    def __init__(self) -> None:
        self._events: list[AgentEvent | Source] = []
        self._notes = 0

    def emit(self, event: AgentEvent) -> None:
        """Add an event after all that was put so far."""
        self._events.append(event)

    def put(self, source: Source | None) -> None:
        """Add that the entry of `source` has changed; None is no change."""
        if source is not None and not source.dirty:
            source.dirty = True
            self._events.append(source)

    def note(
        self, kind: str, text: str, parent: str | None = None, entry_type: EntryType | None = None
    ) -> Note:
        """Add an entry of a text that stands for itself, under a key of its own."""
        self._notes += 1
        note = Note(f"{kind}:{self._notes}", entry_type or SystemMessage(), text, parent)
        self.put(note)
        return note

    def take(self) -> list[AgentEvent]:
        """Take all of them; each entry as it is now."""
        events, self._events = self._events, []
        made: list[AgentEvent] = []
        for event in events:
            if isinstance(event, Struct):  # all events are, and this is asked of each
                made.append(event)
            else:
                event.dirty = False
                made.append(EntryPut(event.key, event.entry()))
        return made
