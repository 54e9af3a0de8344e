"""The attempts that are owned, and not followed yet, after a restart: a few at a time, and first
those that somebody asks for.

What runs goes on whether or not anybody follows it, and its log keeps all of it. So clients are
answered first, and replays share the processor with them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

AT_ONCE = 4
"""Attempts whose logs are replayed at a time, besides those that somebody has asked for."""


class Backlog:
    """Attempts in the order in which they are followed again.

    Args:
        start: has the actor of an attempt started; returns what is set once it follows all that
            runs there, or has failed to.
    """

    def __init__(self, start: Callable[[str], trio.Event]) -> None:
        self._start = start
        self._waiting: dict[str, None] = {}

    def add(self, attempt_id: str) -> None:
        """Put it at the end."""
        self._waiting[attempt_id] = None

    def hasten(self, attempt_id: str) -> None:
        """Start it now if it waits; does nothing otherwise. Never waits."""
        if attempt_id in self._waiting:
            del self._waiting[attempt_id]
            self._start(attempt_id)

    async def run(self, serving: trio.Event | None) -> None:
        """Start all of them, `AT_ONCE` at a time.

        Args:
            serving: when to begin; at once if None.
        """
        if serving is not None:
            await serving.wait()
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._work)

    async def _work(self) -> None:
        while self._waiting:
            attempt_id = next(iter(self._waiting))
            del self._waiting[attempt_id]
            await self._start(attempt_id).wait()
