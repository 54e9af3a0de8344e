"""Streamed text of the model, assigned to its message and block.

Theory of operation. A streamed block is announced with its number in the message; its pieces name
the number but not the message, which is the one that began last in the same conversation (the main
one or a sub-agent's). The finished block comes on a line of its own, with the message but without
the number: it is the oldest announced block of its type that is not finished yet. A message that
was not streamed has its blocks numbered as they come. So both roads lead to the same key.

A message that breaks off is asked for again, and the next one says it anew: its texts take the
entries of the broken one, as far as they are of the same kind.
"""

from __future__ import annotations

from msgspec import Struct, field

from anyond.agents.claude.wire import StreamEvent
from anyond.agents.common.entry import Words


class _Message(Struct):
    id: str
    next_index: int = 0
    over: bool = False
    complete: bool = False
    parts: list[Words] = field(default_factory=list)
    streamed: dict[int, str] = field(default_factory=dict)
    words: dict[int, Words] = field(default_factory=dict)


class Messages:
    """The messages of a run. A parent is the key of a sub-agent's tool entry, or None.

    Attributes:
        latest_key: the key of the latest finished text of the main conversation.
    """

    def __init__(self) -> None:
        self.latest_key: str | None = None
        self._known: dict[str, _Message] = {}
        self._current: dict[str | None, _Message] = {}
        self._again: dict[str | None, list[Words]] = {}

    @property
    def broken_off(self) -> bool:
        """True if the latest message of the main conversation was streamed, and has no end."""
        latest = self._current.get(None)
        return latest is not None and not latest.over

    def stream(self, event: StreamEvent, parent: str | None) -> Words | None:
        """Take in an event of a message being written; the text that it changed, if any."""
        if event.type == "content_block_delta":
            return self._grow(event, parent)
        if event.type == "message_start" and event.message is not None:
            self._current[parent] = self._message(event.message.id)
        elif event.type == "message_delta" and parent in self._current:
            ended = event.delta is not None and event.delta.stop_reason is not None
            self._current[parent].complete |= ended
        elif event.type == "message_stop" and parent in self._current:
            self._current[parent].over = True
        elif event.type == "content_block_start" and event.content_block is not None:
            message = self._current.get(parent)
            if message is not None:
                message.streamed[event.index] = event.content_block.type
                message.next_index = max(message.next_index, event.index + 1)
        return None

    def _grow(self, event: StreamEvent, parent: str | None) -> Words | None:
        message, delta = self._current.get(parent), event.delta
        if message is None or delta is None:
            return None
        piece = delta.text or delta.thinking
        if not piece or event.index not in message.streamed:
            return None
        words = message.words.get(event.index)
        if words is None:
            words = self._words(message, event.index, bool(delta.thinking), parent)
            message.words[event.index] = words
        words.add(piece)
        return words

    def finished(self, message_id: str, kind: str, text: str, parent: str | None) -> Words | None:
        """Take in a finished block.

        Args:
            kind: the block's type; only `text` and `thinking` have words.

        Returns:
            The text, if that changed it.
        """
        message = self._message(message_id)
        index = next((n for n, known in message.streamed.items() if known == kind), None)
        if index is None:
            index = message.next_index
            message.next_index += 1
        else:
            del message.streamed[index]
        words = message.words.pop(index, None)
        if not text or kind not in ("text", "thinking"):
            return None
        if words is None:
            words = self._words(message, index, kind == "thinking", parent)
        if kind == "text" and parent is None:
            self.latest_key = words.key
        if words.text == text:
            return None
        words.replace(text)
        return words

    def answer_broke_off(self, parent: str | None) -> None:
        """The message that is being written broke off, and is asked for again."""
        message = self._current.get(parent)
        if message is not None and not message.complete:
            del self._current[parent]
            self._known.pop(message.id, None)  # some servers give the new one the same id
            self._again.setdefault(parent, []).extend(message.parts)

    def given_up(self, parent: str | None) -> list[Words]:
        """Return texts that have broken off and will not be written anew, as the agent went on;
        forgets them.
        """
        return self._again.pop(parent, [])

    def _words(self, message: _Message, index: int, thinking: bool, parent: str | None) -> Words:
        again = next((w for w in self._again.get(parent, ()) if w.thinking is thinking), None)
        if again is not None:
            self._again[parent].remove(again)
            again.replace("")
        words = again or Words(f"msg:{message.id}:{index}", thinking, parent)
        message.parts.append(words)
        return words

    def _message(self, message_id: str) -> _Message:
        message = self._known.get(message_id)
        if message is None:
            message = self._known[message_id] = _Message(message_id)
        return message
