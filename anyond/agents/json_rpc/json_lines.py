"""Framing of JSON messages: a line each, as they should be, or printed over several lines.

Theory of operation. A line that begins an object and does not end it waits for the lines after it,
until all brackets are closed; then it is one message. JSON has no line end within a string, so a
line that ends in one is none of it. Whatever turns out to be none of this comes back as the lines
that it was: when a line is not JSON, when a whole message comes in between, when it is too long or
has too many values, or when there are no more lines.
"""

from __future__ import annotations

from anyond.agents.json_rpc.json_scan import VALUES_MOST, JsonScan

MOST = 4 * 1024 * 1024
"""Bytes of a message in several lines."""

LINES_MOST = 50_000
"""Lines of a message."""


class JsonLines:
    """Puts the lines of one message together."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._scan = JsonScan()

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, line: bytes) -> tuple[bytes | None, list[bytes]]:
        """One more line that is no message by itself.

        Returns:
            The message that it completes, or None; and the lines that belong to no message.
        """
        if not self._parts and not line.lstrip().startswith(b"{"):
            return None, [line]
        self._parts.append(line)
        self._size += len(line)
        # A line is looked at in one go, so how many strings it has matters as well.
        if self._size > MOST or len(self._parts) > LINES_MOST or line.count(b'"') > VALUES_MOST:
            return None, self.rest()
        scan = self._scan
        scan.feed(line)
        if scan.within or scan.depth < 0 or scan.values > VALUES_MOST:
            return None, self.rest()
        if scan.depth:
            return None, []
        whole = b"\n".join(self.rest())
        return whole, []

    def rest(self) -> list[bytes]:
        """The lines of what was never completed; forgets them."""
        parts, self._parts = self._parts, []
        self._size, self._scan = 0, JsonScan()
        return parts
