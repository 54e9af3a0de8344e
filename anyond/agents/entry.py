"""What an entry is while it is being made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from msgspec import UNSET

from anyond.model.entries import (
    AssistantMessage,
    EntryType,
    NormalizedEntry,
    Thinking,
)


class Source(ABC):
    """Something that knows how to make its entry; `dirty` once it has changed since it last did."""

    key: str
    dirty: bool = False

    @abstractmethod
    def entry(self) -> NormalizedEntry:
        """The entry as it is now."""


@dataclass
class Note(Source):
    """An entry that is just a text."""

    key: str
    kind: EntryType
    content: str
    parent: str | None = None

    def entry(self) -> NormalizedEntry:
        return NormalizedEntry(
            entry_type=self.kind,
            content=self.content,
            parent=UNSET if self.parent is None else self.parent,
        )


class Words(Source):
    """A text of the model that grows piece by piece."""

    def __init__(self, key: str, thinking: bool, parent: str | None) -> None:
        self.key = key
        self.thinking = thinking
        self.parts: list[str] = []
        self._parent = parent

    @property
    def text(self) -> str:
        """All of it; the pieces become one, so that the next join is cheap."""
        if len(self.parts) > 1:
            self.parts = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def entry(self) -> NormalizedEntry:
        return NormalizedEntry(
            entry_type=Thinking() if self.thinking else AssistantMessage(),
            content=self.text,
            parent=UNSET if self._parent is None else self._parent,
        )


class Lump(Source):
    """Lines that are shown as one text."""

    def __init__(self, key: str, kind: EntryType) -> None:
        self.key = key
        self.kind = kind
        self.parts: list[str] = []
        self.size = 0

    def add(self, line: str) -> None:
        """One more line."""
        self.parts.append(line)
        self.size += len(line) + 1

    def entry(self) -> NormalizedEntry:
        return NormalizedEntry(entry_type=self.kind, content="\n".join(self.parts))
