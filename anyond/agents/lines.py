"""Where lines end in a stream of bytes that is cut anywhere."""

from __future__ import annotations


class Lines:
    """Feed bytes, get whole lines without their newline; linear even for one line of 200 MB."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        end = data.rfind(b"\n")
        if end < 0:
            if data:
                self._parts.append(data)
            return []
        head = data[:end]
        if self._parts:
            head = b"".join((*self._parts, head))
        self._parts = [data[end + 1 :]] if end + 1 < len(data) else []
        return head.split(b"\n")

    def rest(self) -> bytes:
        """The unfinished last line; forgets it."""
        if not self._parts:
            return b""
        rest = b"".join(self._parts)
        self._parts = []
        return rest
