"""The wakeup of all tasks that follow one growing thing: an event, replaced at each notify."""

from __future__ import annotations

import trio


class Wakeup:
    """Something grew.

    A follower checks what is new, and if nothing is, awaits `wait()`. Between the check and the
    wait there must be no checkpoint; then no notification is ever missed. Nobody keeps a queue, so
    a slow follower costs nothing and a dead one leaves nothing behind.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = trio.Event()

    def notify(self) -> None:
        """Wake everyone who waits now. Never waits itself."""
        if self._event.statistics().tasks_waiting:
            self._event.set()
            self._event = trio.Event()

    async def wait(self) -> None:
        """Return at the next notification."""
        await self._event.wait()
