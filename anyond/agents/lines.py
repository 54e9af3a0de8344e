"""Where lines end in a stream of bytes that is cut anywhere, also if one has no end."""

from __future__ import annotations

LINE_MOST = 16 * 1024**2
"""Bytes of a line that is still read as a message. Agents write a message a line, and the largest
that mean something are files and pictures of some megabytes."""

SHOWN = 2048
"""Bytes of a longer line that are shown."""


class Lines:
    """Feed bytes, get whole lines without their newline; linear, however long a line is.

    Of a line that is too long only the beginning is kept, in a sentence that is no message of any
    protocol: a dialogue shows it as what it could not read.

    Args:
        most: bytes of a line; None for what we have written ourselves.
    """

    def __init__(self, most: int | None = LINE_MOST) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._most = most

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        end = data.rfind(b"\n")
        if end < 0:
            self._hold(data)
            return []
        if self._parts:
            first = data.find(b"\n")
            self._hold(data[:first])
            lines = [self.rest()]
            if first < end:
                lines += self._split(data[first + 1 : end])
        else:
            lines = self._split(data[:end])
        self._hold(data[end + 1 :])
        return lines

    def rest(self) -> bytes:
        """The unfinished last line; forgets it."""
        parts, size = self._parts, self._size
        self._parts, self._size = [], 0
        return self._line(parts[0] if len(parts) == 1 else b"".join(parts), size)

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._size += len(data)
        if self._most is None or self._size <= self._most:
            self._parts.append(data)
        elif len(self._parts) != 1 or len(self._parts[0]) > SHOWN:
            self._parts = [b"".join((*self._parts, data))[:SHOWN]]

    def _split(self, data: bytes) -> list[bytes]:
        lines = data.split(b"\n")
        if self._most is None or len(data) <= self._most:
            return lines
        return [self._line(line, len(line)) for line in lines]

    def _line(self, line: bytes, size: int) -> bytes:
        if self._most is None or size <= self._most:
            return line
        told = (
            f"[anyon] A line of {size:,} bytes was not read: it is longer than "
            f"{self._most // 1024**2} MiB. It is in the raw log, and begins: "
        )
        return told.encode() + line[:SHOWN]
