"""Remarks found outside of any process, and their way into the log of their attempt.

Git operations run before a program starts, after it has ended, and at the press of a button. What
a person should know of them waits in a row until a process of the attempt has a log to say it in.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from anyond.logs import notes
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.operations.resources import Resources
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.board import attempts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import remarks
from anyond.store.runs.remarks import WaitingRemark

log = structlog.get_logger()

_MOST_CHARACTERS = 4000


async def leave(
    resources: Resources, attempt_id: str, texts: Sequence[str], *, is_error: bool = True
) -> None:
    """Have the next log of the attempt say each of `texts`, once.

    Cancellation leaves all of them or none.
    """
    if not texts:
        return

    def work(tx: Tx) -> None:
        try:
            attempts.get(tx, attempt_id)
        except NotFound:
            return  # deleted meanwhile: there is no log any more
        for text in texts:
            remarks.put(tx, attempt_id, text[:_MOST_CHARACTERS], now(), is_error=is_error)

    for text in texts:
        log.warning("remark", attempt=attempt_id, text=text)
    await resources.store.write(work)


async def deliver_waiting(resources: Resources, attempt_id: str, running: ShimConnection) -> None:
    """Put what waits into the log of a process that runs; a crash in between says it twice."""
    try:
        found = await resources.store.read(lambda r: remarks.waiting(r, attempt_id))
        for remark in found:
            await running.note(notes.encode(as_note(remark)))
        if found:
            await resources.store.write(lambda tx: remarks.delete(tx, found))
    except AnyondError as error:
        # The process runs, which matters more; what waits is said at its end.
        log.warning("remarks_wait", attempt=attempt_id, why=str(error))


async def read_waiting(resources: Resources, attempt_id: str) -> list[WaitingRemark]:
    """Read the remarks that wait; whoever has put them into a log deletes the rows."""
    return await resources.store.read(lambda r: remarks.waiting(r, attempt_id))


def as_note(remark: WaitingRemark) -> notes.Remark:
    """The remark as a log has it."""
    return notes.Remark(text=remark.text, error=remark.is_error)
