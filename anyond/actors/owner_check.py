"""The proof that every row that says `running` has somebody who looks after it, and its repair."""

from __future__ import annotations

import structlog
import trio

from anyond.actors.attempts import Attempts
from anyond.model.errors import AnyondError
from anyond.model.rows import ExecutionProcess
from anyond.operations import remarks
from anyond.operations.resources import Resources
from anyond.store.runs import processes

log = structlog.get_logger()

PAUSE_S = 3600.0
"""Seconds between two checks; the first is when the daemon starts."""

SETTLE_S = 5.0
"""Seconds in which a row that was just written is taken up by whoever wrote it."""

REMARK = "Nobody looked after this run any more. A check has found that, and took it up again."


class OwnerCheck:
    """A permanent service: at the start and once an hour no row is left to itself."""

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._attempts = attempts

    async def run(self) -> None:
        """Check for ever."""
        while True:
            try:
                await self.check()
            except AnyondError as error:
                log.warning("rows_not_checked", why=str(error))
            await trio.sleep(PAUSE_S)

    async def check(self, settle_s: float = SETTLE_S) -> list[ExecutionProcess]:
        """Have each running row that has no owner looked after; returns those that had none.

        Args:
            settle_s: seconds until a row without an owner is looked at once more.

        Raises:
            Unavailable: the database cannot be read.
        """
        unowned = await self._unowned()
        if unowned:
            await trio.sleep(settle_s)
            former = {row.id for row in unowned}
            unowned = [row for row in await self._unowned() if row.id in former]
        for row in unowned:
            await remarks.leave(self._resources, row.task_attempt_id, [REMARK], is_error=False)
            self._attempts.adopt(row)
            log.error("row_without_owner", process=row.id, attempt=row.task_attempt_id)
        log.debug("rows_checked", repaired=len(unowned))
        return unowned

    async def _unowned(self) -> list[ExecutionProcess]:
        rows = await self._resources.store.read(processes.running)
        return [row for row in rows if not self._attempts.looks_after(row)]
