"""The progress of a long command, on one line that is overwritten; on terminals only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST_S = 0.3
_EVERY_S = 0.1


class ProgressLine:
    """A line on standard error, which is not there in the first 0.3 seconds.

    Args:
        visible: whether anything is printed.
    """

    def __init__(self, visible: bool) -> None:
        self._visible = visible
        self._next = time.monotonic() + _FIRST_S
        self._printed = False

    def show(self, what: str, done: int, total: int) -> None:
        """Print how much is done, unless that was printed just now."""
        now = time.monotonic()
        if self._visible and now >= self._next:
            share = 100 * done // total if total else 100
            sys.stderr.write(f"\r\x1b[K{what}: {share} %")
            sys.stderr.flush()
            self._next = now + _EVERY_S
            self._printed = True

    def clear(self) -> None:
        """Take the line away."""
        if self._printed:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._printed = False


@contextmanager
def progress_line(*, quiet: bool) -> Iterator[ProgressLine]:
    """A line while inside; none if standard error is no terminal, or nothing is to be said."""
    line = ProgressLine(sys.stderr.isatty() and not quiet)
    try:
        yield line
    finally:
        line.clear()
