"""When what was deleted is cleared away: at the start, and whenever something was deleted."""

from __future__ import annotations

import trio

from anyond.operations.removal import clean_up
from anyond.operations.rooms import Rooms


class Janitor:
    """A permanent service; sleeps without waking up while there is nothing to do."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._wanted = trio.Event()
        self._wanted.set()

    def wake(self) -> None:
        """There is something to clear away. Never waits."""
        self._wanted.set()

    async def run(self) -> None:
        """Clear away for ever."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            await clean_up(self._rooms)
