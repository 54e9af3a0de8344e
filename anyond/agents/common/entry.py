"""Entries while they are being made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass

from msgspec import UNSET

from anyond.model.entries import (
    AssistantMessage,
    EntryType,
    NormalizedEntry,
    Thinking,
)

BROKE_OFF = "An answer of the model broke off here; it was asked again."
"""What is shown in place of the beginning of an answer that nothing was said instead of."""

TEXT_MOST = 1024**2
"""Characters of one text of the model; more than any model says at once."""


AT_WORK_MOST = 512
"""So many tools of a run work at once; of more, the oldest is given up. To end a turn means to end
each of them."""


def bounded(text: str) -> str:
    """`text`, or its beginning if it is absurdly long. The raw log has all of it."""
    if len(text) <= TEXT_MOST:
        return text
    return f"{text[:TEXT_MOST]}\n[…] The rest of this text is only in the raw log."


class GrowingText:
    """A text that grows by pieces; joined only when somebody looks, and bounded.

    What comes when it is as long as it may be costs nothing, however much that is.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        """It goes on."""
        if self._size <= TEXT_MOST:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > TEXT_MOST:
                self._pieces = [bounded("".join(self._pieces))]

    def replace(self, text: str) -> None:
        """It is now `text`."""
        self._pieces, self._size = [bounded(text)] if text else [], len(text)

    @property
    def whole(self) -> str:
        """All of it; the pieces become one, so that the next join is cheap."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""


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
        self._text = GrowingText()
        self._parent = parent

    @property
    def text(self) -> str:
        """All of it."""
        return self._text.whole

    def add(self, piece: str) -> None:
        """It goes on."""
        self._text.add(piece)

    def replace(self, text: str) -> None:
        """It is now `text`."""
        self._text.replace(text)

    def entry(self) -> NormalizedEntry:
        return NormalizedEntry(
            entry_type=Thinking() if self.thinking else AssistantMessage(),
            content=self.text,
            parent=UNSET if self._parent is None else self._parent,
        )


LINE_MOST = 4 * 1024
"""Characters of one line in a block."""

BLOCK_MOST = 16 * 1024
"""Characters of a block; what follows begins the next one. Each new line makes its entry anew."""

BLOCKS_MOST = 16
"""So many blocks there are; the last one keeps the newest lines. The raw log has all of them."""


class OutputBlock(Source):
    """Lines that are shown as one text."""

    def __init__(self, key: str, kind: EntryType) -> None:
        self.key = key
        self.kind = kind
        self.lines: deque[str] = deque()
        self._size = 0
        self._left_out = 0

    def takes(self, line: str) -> bool:
        """Return whether there is room for one more line."""
        return not self.lines or self._size + len(line) < BLOCK_MOST

    def add(self, line: str) -> None:
        """One more line; those for which there is no room any more are the oldest."""
        self.lines.append(line)
        self._size += len(line) + 1
        while self._size > BLOCK_MOST and len(self.lines) > 1:
            self._size -= len(self.lines.popleft()) + 1
            self._left_out += 1

    def entry(self) -> NormalizedEntry:
        left_out = [f"[{self._left_out:,} lines are only in the raw log]"] if self._left_out else []
        return NormalizedEntry(entry_type=self.kind, content="\n".join([*left_out, *self.lines]))


class OutputBlocks:
    """The output of a program outside of its protocol, however much that is.

    Args:
        kind: of the entries.
    """

    def __init__(self, kind: EntryType) -> None:
        self._kind = kind
        self._all: list[OutputBlock] = []

    @property
    def last(self) -> OutputBlock | None:
        """The one to which a line was added last."""
        return self._all[-1] if self._all else None

    def add(self, line: str) -> OutputBlock:
        """One more line; returns the block that has changed."""
        cut_line = line if len(line) <= LINE_MOST else f"{line[:LINE_MOST]} […]"
        last = self.last
        if last is None or (not last.takes(cut_line) and len(self._all) < BLOCKS_MOST):
            last = OutputBlock(f"stderr:{len(self._all) + 1}", self._kind)
            self._all.append(last)
        last.add(cut_line)
        return last

    def mentions(self, text: str, within: bool = False) -> bool:
        """Return whether `text` is to be read in one of them: as a line, or within one."""
        lines = (line for block in self._all for line in block.lines)
        return any(text in line if within else text == line for line in lines)
