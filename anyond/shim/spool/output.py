"""Cutting the output of a program into records.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import time

from anyond.shim.spool.log import Log

READ = 1 << 18  # bytes taken from a pipe at once
TAIL = 1 << 16  # bytes of an unfinished line that are held back
UNFINISHED_LINE_S = 0.03  # seconds that an unfinished line is held back


def whole(text: bytes) -> int:
    """Return the number of bytes of `text` before an unfinished UTF-8 sequence at its end."""
    for back in range(1, min(3, len(text)) + 1):
        byte = text[-back]
        if byte & 0xC0 == 0x80:
            continue
        need = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return len(text) - back if need > back else len(text)
    return len(text)


class Source:
    """One output pipe of the program, cut where its lines end."""

    def __init__(self, name: bytes, fd: int, log: Log) -> None:
        self.name = name
        self.fd = fd
        self.log = log
        self.tail = b""
        self.due: float | None = None
        self.open = True

    def read(self) -> int:
        """Take what is there once; the number of bytes, 0 at the end, -1 if there is nothing."""
        if not self.open:
            return 0
        try:
            data = os.read(self.fd, READ)
        except BlockingIOError:
            return -1
        if not data:
            self.end()
            return 0
        text = self.tail + data if self.tail else data
        cut = text.rfind(b"\n") + 1
        if len(text) - cut > TAIL:
            cut = whole(text)
        if cut:
            self.log.append(self.name, memoryview(text)[:cut])
            self.due = None
        self.tail = text[cut:]
        if self.due is None and whole(self.tail):
            self.due = time.monotonic() + UNFINISHED_LINE_S
        return len(data)

    def expire(self) -> None:
        """The line is not going to be finished soon: show what there is."""
        cut = whole(self.tail)
        self.log.append(self.name, self.tail[:cut])
        self.tail = self.tail[cut:]
        self.due = None

    def end(self) -> None:
        """There will be no more."""
        if self.tail:
            self.log.append(self.name, self.tail)
        self.tail, self.due, self.open = b"", None, False
        os.close(self.fd)
