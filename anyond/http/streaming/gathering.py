"""The pause of all streams together: what happens meanwhile goes out at once."""

from __future__ import annotations

import trio

from anyond.wakeup import Wakeup


class Gathering:
    """A pause that many tasks share: one timer, whoever comes while it runs waits for its end.

    Args:
        seconds: how long it lasts at most.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way: Wakeup | None = None

    async def pause(self) -> None:
        """Return when the pause that is under way ends, or else after a whole one."""
        if self._under_way is not None:
            await self._under_way.wait()
            return
        wakeup = self._under_way = Wakeup()
        try:
            await trio.sleep(self._seconds)
        finally:  # also if this one has left: the others only wait a little less
            self._under_way = None
            wakeup.notify()
