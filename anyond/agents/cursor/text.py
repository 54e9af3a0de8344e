"""Texts of the Cursor agent: the new ones, without those that only repeat.

Theory of operation. With partial output a message comes in pieces (with a time, without the id of
a model call), then once more as a whole before a tool is used (with both), and at the end of the
turn all that was said comes once more (with neither). Without partial output only the wholes come.
A segment is what is said between two other events.
"""

from __future__ import annotations

from anyond.agents.common.entry import Words


class Segments:
    """The texts of a run of one kind: answers, or thoughts."""

    def __init__(self, name: str, thinking: bool) -> None:
        self._name = name
        self._thinking = thinking
        self._all: list[Words] = []
        self._open: Words | None = None
        self._streamed = False

    @property
    def first(self) -> str:
        """The first segment, or nothing."""
        return self._all[0].text if self._all else ""

    @property
    def first_key(self) -> str | None:
        """The key of the first segment's entry."""
        return self._all[0].key if self._all else None

    def __len__(self) -> int:
        return len(self._all)

    def piece(self, text: str) -> Words | None:
        """Something new was said."""
        if not text:
            return None
        self._streamed = True
        return self._grow(text)

    def whole(self, text: str, last: bool) -> Words | None:
        """A message was told as a whole; the segment, if that changed it.

        Args:
            last: whether it may be all that was said in the turn.
        """
        if not text:
            return None
        if last and self._streamed and _bare(text) in _bare(self._everything):
            return None
        words = self._open
        if words is None:
            repeated = self._streamed and self._all and self._all[-1].text == text
            return None if repeated else self._grow(text)
        if words.text == text:
            return None
        if self._streamed or text.startswith(words.text):
            words.replace(text)
            return words
        return self._grow(text)

    def close(self) -> None:
        """Something else happened: what is said next is another segment."""
        self._open = None

    @property
    def _everything(self) -> str:
        return "".join(words.text for words in self._all)

    def _grow(self, text: str) -> Words:
        if self._open is None:
            key = f"{self._name}:{len(self._all) + 1}"
            self._open = Words(key, self._thinking, None)
            self._all.append(self._open)
        self._open.add(text)
        return self._open


def _bare(text: str) -> str:
    return "".join(text.split())
