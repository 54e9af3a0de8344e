"""The daily copy of the database."""

from __future__ import annotations

import structlog
import trio

from anyond.model.errors import AnyondError
from anyond.operations.resources import Resources
from anyond.store.engine import backup

log = structlog.get_logger()


async def make(resources: Resources) -> None:
    """Copy the database beside everything else; what is wrong with it is said in the log.

    Cancellation waits for the copy to be finished.
    """
    try:
        path = await trio.to_thread.run_sync(backup.make, resources.paths.database)
    except AnyondError as error:
        # Not our mistake, so no traceback.
        fields = {"why": str(error), "advice": backup.advice(resources.paths.database)}
        log.error("not_backed_up", **fields)  # noqa: TRY400
    else:
        log.info("backed_up", file=str(path))
