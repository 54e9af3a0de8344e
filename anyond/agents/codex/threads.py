"""Threads of Codex: the sub-agent of each, and those at work.

Theory of operation. A sub-agent is a thread of its own, told of on the same pipe. The call that
started it names it only when it comes back, which may be after the first news of the thread: until
then the oldest call without a thread is taken for it.
"""

from __future__ import annotations


class Threads:
    """The threads of one run, the main one and those of its sub-agents."""

    def __init__(self) -> None:
        self.main = ""
        self._keys: dict[str, str] = {}
        self._unnamed: list[str] = []
        self._working: set[str] = set()

    def is_main(self, thread: str) -> bool:
        """Return whether this is the conversation itself; news without a thread are of it, too."""
        return not thread or not self.main or thread == self.main

    def parent(self, thread: str) -> str | None:
        """The key of the entry below which the entries of a thread belong; None for the main."""
        if self.is_main(thread):
            return None
        key = self._keys.get(thread)
        if key is None and self._unnamed:
            key = self._keys[thread] = self._unnamed.pop(0)
        return key

    @property
    def working(self) -> bool:
        """True if any sub-agent is at work."""
        return bool(self._working)

    def starting(self, key: str) -> None:
        """A call is about to start a sub-agent; `key` is its entry."""
        if key not in self._unnamed and key not in self._keys.values():
            self._unnamed.append(key)

    def started(self, thread: str, key: str) -> None:
        """The call of the entry `key` has started the sub-agent of that thread."""
        if key in self._unnamed:
            self._unnamed.remove(key)
        self._keys[thread] = key
        self._working.add(thread)

    def failed(self, key: str) -> None:
        """The call of the entry `key` has started nothing."""
        if key in self._unnamed:
            self._unnamed.remove(key)

    def began(self, thread: str) -> None:
        """A turn of a sub-agent has begun."""
        self._working.add(thread)

    def rested(self, thread: str) -> str | None:
        """A sub-agent is not at work any more; the key of its entry."""
        self._working.discard(thread)
        return self._keys.get(thread)

    def clear(self) -> None:
        """Nobody is at work any more."""
        self._working.clear()
        self._unnamed.clear()
