"""Splitting a stream of bytes into lines, wherever it is cut and however long a line is."""

from __future__ import annotations

from anyond.agents.json_rpc.json_scan import VALUES_MOST, JsonScan

LINE_MOST = 16 * 1024**2
"""Bytes of a line that is still read as a message. Agents write a message a line, and the largest
that mean something are files and pictures of some megabytes."""

SCANNED = 256 * 1024
"""Bytes of a line that is read whatever is in it; of longer ones, the values are counted."""

BEGINNING_MOST = 2048
"""Bytes of a longer line that are shown."""


class Lines:
    """Feed bytes, get whole lines without their newline; linear, however long a line is.

    Of a line that is too long, or has too many values to be decoded in a moment, only the beginning
    is kept, in a sentence that is no message of any protocol: a dialogue shows it as what it could
    not read.

    Args:
        most: bytes of a line; None for what we have written ourselves.
    """

    def __init__(self, most: int | None = LINE_MOST) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._most = most
        self._scan: JsonScan | None = None

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
        parts, size, scan = self._parts, self._size, self._scan
        self._parts, self._size, self._scan = [], 0, None
        return self._line(parts[0] if len(parts) == 1 else b"".join(parts), size, scan)

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._size += len(data)
        if self._most is None or (self._size <= self._most and not self._is_dense(data)):
            self._parts.append(data)
        elif len(self._parts) != 1 or len(self._parts[0]) > BEGINNING_MOST:
            self._parts = [b"".join((*self._parts, data))[:BEGINNING_MOST]]

    def _is_dense(self, data: bytes) -> bool:
        """Return whether the line that goes on with `data` has too many values."""
        if self._size <= SCANNED:
            return False
        if self._scan is None:
            self._scan = _scanned(b"".join(self._parts))
        if self._scan.values <= VALUES_MOST:
            self._scan.feed(data)
        return self._scan.values > VALUES_MOST

    def _split(self, data: bytes) -> list[bytes]:
        lines = data.split(b"\n")
        if self._most is None or len(data) <= min(SCANNED, self._most):
            return lines
        return [
            self._line(line, len(line), _scanned(line) if len(line) > SCANNED else None)
            for line in lines
        ]

    def _line(self, line: bytes, size: int, scan: JsonScan | None) -> bytes:
        if self._most is not None and size > self._most:
            why = f"it is longer than {self._most // 1024**2} MiB"
        elif scan is not None and scan.values > VALUES_MOST:
            why = f"it has more than {VALUES_MOST:,} values"
        else:
            return line
        text = f"[anyon] A line of {size:,} bytes was not read: {why}. It is in the raw log, and "
        return f"{text}begins: ".encode() + line[:BEGINNING_MOST]


def _scanned(line: bytes) -> JsonScan:
    scan = JsonScan()
    scan.feed(line)
    return scan
