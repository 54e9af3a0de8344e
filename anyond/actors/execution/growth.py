"""News of the growth of an execution's log: followers of its bytes get it first, then the talk."""

from __future__ import annotations

import structlog
import trio

from anyond.procs.shims.shim_connection import ShimConnection
from anyond.watchers.logs import Live

log = structlog.get_logger()


class Growth:
    """Listens to one shim, whatever becomes of what it says.

    Taking in what an agent says waits for the database, for the agent, and for itself; who reads
    the bytes waits for none of them.

    Args:
        running: the connection; nobody else asks it for news from now on.
        live: what followers of the log share.
    """

    def __init__(self, running: ShimConnection, live: Live) -> None:
        self._running = running
        self._live = live
        self._changed = trio.Event()
        self._over = False

    async def run(self) -> None:
        """Wake followers whenever bytes are in the log, until the shim is gone or we are cancelled.

        Followers help themselves before and after (see `Live.is_listened_to`).
        """
        troubled = False
        self._live.is_listened_to = True
        self._live.grown.notify()  # what has come while nobody listened
        try:
            while await self._running.news():
                self._live.grown.notify()
                self._changed.set()
                if self._running.trouble != troubled:
                    troubled = self._running.trouble
                    process = self._running.execution_id
                    log.warning("disk_trouble", process=process, full=troubled)
        finally:
            self._live.is_listened_to = False
            self._live.grown.notify()
        self._over = True
        self._changed.set()

    async def wait(self) -> bool:
        """Wait until something has changed since the last call; many changes count as one.

        Returns:
            False when the shim is gone.
        """
        await self._changed.wait()
        self._changed = trio.Event()
        if self._over:
            self._changed.set()
        return not self._over
