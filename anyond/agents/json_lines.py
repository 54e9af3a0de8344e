"""Where messages end, for programs that write JSON as they should, a line each, or printed nicely.

Theory of operation. A line that begins an object and does not end it waits for the lines after it,
until all brackets are closed; then it is one message. JSON has no line end within a string, so the
brackets of each line can be counted by themselves. Whatever turns out to be none of this comes
back as the lines that it was: when a line is not JSON, when a whole message comes in between, when
it is too long, or when there are no more lines.
"""

from __future__ import annotations

import re

MOST = 4 * 1024 * 1024
"""Bytes of a message in several lines."""

_STRING = re.compile(rb'"(?:[^"\\\\]|\\\\.)*"')


class JsonLines:
    """Puts the lines of one message together."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._depth = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, line: bytes) -> tuple[bytes | None, list[bytes]]:
        """One more line that is no message by itself.

        Returns:
            The message that it completes, or None; and the lines that belong to no message.
        """
        bare = _STRING.sub(b"", line)
        if not self._parts and not bare.lstrip().startswith(b"{"):
            return None, [line]
        self._parts.append(line)
        self._size += len(line)
        self._depth += sum(map(bare.count, (b"{", b"["))) - sum(map(bare.count, (b"}", b"]")))
        if b'"' in bare or self._depth < 0 or self._size > MOST:
            return None, self.rest()
        if self._depth:
            return None, []
        whole = b"\n".join(self.rest())
        return whole, []

    def rest(self) -> list[bytes]:
        """The lines of what was never completed; forgets them."""
        parts, self._parts = self._parts, []
        self._size = self._depth = 0
        return parts
