"""Connecting again to a live shim, however long it takes to answer."""

from __future__ import annotations

import math
from collections.abc import Callable

import structlog
import trio

from anyond.model.errors import Unavailable
from anyond.model.ids import now
from anyond.operations.resources import Resources
from anyond.operations.turn.launched import record_processes
from anyond.procs.shims.launcher import Alive
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.runs import launches

log = structlog.get_logger()

SILENT_S = 1.5
"""Seconds that the restart of the daemon waits for one shim."""

STOP_ANSWER_S = 10.0
"""Seconds that a shim has to answer when a person wants its program stopped."""

REFUSED_PAUSE_S = 5.0
"""Seconds until a shim that takes no orders is asked again."""


class Attaching:
    """The shims of one attempt that have not answered yet."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._waiting: dict[str, trio.CancelScope] = {}

    def hasten(self, process_id: str) -> None:
        """Somebody wants it stopped: wait only a little longer for its shim."""
        if scope := self._waiting.get(process_id):
            scope.deadline = min(scope.deadline, trio.current_time() + STOP_ANSWER_S)

    async def attach(
        self,
        process_id: str,
        key: str | None,
        *,
        stopping: bool,
        silent: Callable[[], None],
        refused: Callable[[str], None],
    ) -> ShimConnection | None:
        """A connection to a live shim, whenever it answers.

        Args:
            key: what it wants to hear; None if its launch was not recorded.
            stopping: whether somebody wants it stopped already.
            silent: called once if it does not answer at once, and nobody should wait for it.
            refused: called each time when it lives and cannot be dealt with, with a sentence for
                the person; it is asked again.

        Returns:
            None if it did not answer in time for a stop.

        Raises:
            Unavailable: it does not live any more, and how it ended is not known yet.
        """
        until = trio.current_time() + STOP_ANSWER_S if stopping else math.inf
        running: ShimConnection | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_report_silence, process_id, silent)
            with trio.CancelScope(deadline=until) as scope:
                self._waiting[process_id] = scope
                try:
                    if key is None:  # started by a version that recorded no launches
                        await self._resources.store.write(
                            lambda tx: launches.record(tx, process_id, "", now())
                        )
                    running = await self._connect(process_id, key or "", refused)
                    await record_processes(self._resources, running)
                finally:
                    del self._waiting[process_id]
            nursery.cancel_scope.cancel()
        return running

    async def _connect(
        self, process_id: str, key: str, refused: Callable[[str], None]
    ) -> ShimConnection:
        launcher = self._resources.launcher
        while True:
            try:
                return await launcher.attach(process_id, key, timeout=math.inf)
            except Unavailable as error:
                if not isinstance(launcher.look(process_id, recorded=True), Alive):
                    raise
                log.warning("shim_refuses", process=process_id, why=str(error))
                refused(str(error))
            await trio.sleep(REFUSED_PAUSE_S)


async def _report_silence(process_id: str, silent: Callable[[], None]) -> None:
    await trio.sleep(SILENT_S)
    log.warning("shim_is_silent", process=process_id)
    silent()
