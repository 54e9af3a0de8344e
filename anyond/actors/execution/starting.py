"""Starting the program of a row, and making a failed start final."""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio

from anyond.actors.execution.crashes import FIRST_BACKOFF_S, LONGEST_BACKOFF_S
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.rows import ExecutionProcess, ProcessStatus
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.run.run import Started, Stoppable
from anyond.operations.subject import read as read_subject
from anyond.store.runs import processes

log = structlog.get_logger()


class Starts:
    """The starts of one attempt. What was refused once is never started later.

    Args:
        halting: whether somebody wants everything in the attempt stopped.
        stoppable: makes the scope for what a stop of a process cuts short.
    """

    def __init__(
        self,
        attempt_id: str,
        resources: Resources,
        *,
        halting: Callable[[], bool],
        stoppable: Callable[[str], Stoppable],
    ) -> None:
        self._attempt_id = attempt_id
        self._resources = resources
        self._halting = halting
        self._stoppable = stoppable
        self._refusals: dict[str, AnyondError] = {}

    async def start(self, row: ExecutionProcess) -> tuple[Started, bool]:
        """Start the program of `row`; returns also whether somebody wants it stopped meanwhile.

        Raises:
            AnyondError: see `operations.run`; its row is final, if disk and database allowed that.
        """
        subject = await read_subject(self._resources, self._attempt_id)
        started = await run.start(
            self._resources,
            row,
            subject,
            go_on=lambda: not self._halting(),
            stoppable=self._stoppable(row.id),
        )
        stop = await self._resources.store.read(lambda r: processes.stop_reason(r, row.id))
        return started, stop is not None

    def refusal(self, process_id: str) -> AnyondError | None:
        """The reason why a process was not started, until its row is final."""
        return self._refusals.get(process_id)

    async def refuse(self, row: ExecutionProcess, why: AnyondError) -> None:
        """Make the row final of what did not start, however long disk or database refuse that.

        Whoever waited for the start has been told that it failed.
        """
        self._refusals[row.id] = why
        if await self._is_running(row.id):
            await self._fail(row, why)
        del self._refusals[row.id]

    async def _fail(self, row: ExecutionProcess, why: AnyondError) -> None:
        subject = await read_subject(self._resources, self._attempt_id)
        backoff = FIRST_BACKOFF_S
        while True:
            try:
                return await run.fail_start(self._resources, row, subject, why)
            except Unavailable as error:
                log.warning("not_written", process=row.id, why=str(error))
            await trio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)

    async def _is_running(self, process_id: str) -> bool:
        try:
            row = await self._resources.store.read(lambda r: processes.get(r, process_id))
        except Unavailable:
            return True  # as far as anybody knows
        except AnyondError:
            return False
        return row.status is ProcessStatus.RUNNING
