"""Turns for thousands of tasks that wake at once, so that they do not hold everybody up.

Trio runs all tasks that are ready before it looks for anything else. When ten thousand clients
leave in one moment, or the daemon stops, to unwind all their tasks in one go takes seconds.
"""

from __future__ import annotations

import trio

AT_ONCE = 8


class Turns:
    """A few at a time get their turn, and everybody else runs between."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._slots = trio.Semaphore(at_once)

    async def take(self) -> None:
        """Return when it is the caller's turn; at once if nobody else wants one."""
        async with self._slots:
            await trio.lowlevel.checkpoint()
