"""How processes end whose attempt cannot be looked after because of a mistake of ours."""

from __future__ import annotations

import structlog

from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.records import Exit
from anyond.model.rows import ExecutionProcess, ProcessStatus
from anyond.operations import run, subject, undelivered
from anyond.operations.rooms import Rooms
from anyond.procs.launcher import Absent, Alive, Ended
from anyond.store import drafts, processes
from anyond.store.transaction import Tx

log = structlog.get_logger()


async def end_what_is_over(rooms: Rooms, attempt_id: str) -> None:
    """Make the rows final whose program has ended, or that a person wanted to stop.

    Nothing is read of what they said, and nothing is committed: one of that was the mistake. What
    still runs, and nobody has stopped, may go on.

    For whoever is alone at work in the attempt.
    """
    try:
        for row in await rooms.store.read(lambda r: processes.running_of(r, attempt_id)):
            await _end(rooms, row)
    except AnyondError as error:
        log.warning("not_given_up", attempt=attempt_id, why=str(error))


async def _end(rooms: Rooms, row: ExecutionProcess) -> None:
    stop = await rooms.store.read(lambda r: processes.stop_reason(r, row.id))
    found = rooms.launcher.look(row.id)
    if isinstance(found, Alive):
        if stop is None:
            return
        running = await rooms.launcher.attach(row.id)
        try:
            await running.kill()
            while await running.news():
                pass
        finally:
            await running.aclose()
        found = rooms.launcher.look(row.id)
    exit: Exit | None = None
    if isinstance(found, Ended):
        exit = found.exit
    elif not isinstance(found, Absent):
        exit = await rooms.launcher.finalize_lost(
            row.id, "The process that supervised it was killed."
        )
    about = await subject.read(rooms, row.task_attempt_id)

    def final(tx: Tx) -> None:
        processes.finish(
            tx,
            row.id,
            status=ProcessStatus.FAILED if stop is None else ProcessStatus.KILLED,
            exit_code=exit.code if exit is not None else None,
            after_head_commit=None,
            at=now(),
        )
        undelivered.give_back(tx, row, now())
        drafts.unqueue(tx, row.task_attempt_id, now())
        run.review(tx, about.task.id, row.run_reason)

    await rooms.store.write(final)
    log.error("given_up", process=row.id, attempt=row.task_attempt_id)
