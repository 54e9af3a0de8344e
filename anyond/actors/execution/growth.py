"""News of the growth of an execution's log: followers of its bytes get it first, then the talk."""

from __future__ import annotations

import structlog
import trio

from anyond.procs.shims.shim_connection import ShimConnection
from anyond.wakeup import Wakeup
from anyond.watchers.logs import Live

log = structlog.get_logger()


class Growth:
    """Listens to one shim, whatever becomes of what it says.

    Taking in what an agent says waits for the database, for the agent, and for itself; who reads
    the bytes waits for none of them. News wake whoever waits for them, and no task of ours.

    Args:
        running: the connection; nobody else asks it for news from now on.
        live: what followers of the log share.
    """

    def __init__(self, running: ShimConnection, live: Live) -> None:
        self._running = running
        self._live = live
        self._news = Wakeup()
        self._has_changed = False
        self._over = trio.Event()
        self._troubled = False

    async def run(self) -> None:
        """Wake followers whenever bytes are in the log, until the shim is gone or we are cancelled.

        Followers help themselves before and after (see `Live.is_listened_to`).
        """
        self._live.is_listened_to = True
        self._running.on_news = self._take
        try:
            self._take()  # what has come while nobody listened
            await self._over.wait()
        finally:
            self._running.on_news = None
            self._live.is_listened_to = False
            self._live.grown.notify()

    def _take(self) -> None:
        self._live.grown.notify()
        self._has_changed = True
        self._news.notify()
        if self._running.trouble != self._troubled:
            self._troubled = self._running.trouble
            process = self._running.execution_id
            log.warning("disk_trouble", process=process, full=self._troubled)
        if self._running.is_gone:
            self._over.set()

    async def wait(self) -> bool:
        """Wait until something has changed since the last call; many changes count as one.

        Returns:
            False when the shim is gone.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not (self._has_changed or self._over.is_set()):
            await self._news.wait()
        self._has_changed = False
        return not self._over.is_set()

    async def wait_for_end(self) -> None:
        """Return when the shim is gone."""
        await self._over.wait()
