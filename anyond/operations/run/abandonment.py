"""Ending a process that cannot be looked after, whatever the reason: no row is left running."""

from __future__ import annotations

import structlog
import trio

from anyond.model.errors import AnyondError, Conflict, Unavailable
from anyond.model.ids import now
from anyond.model.records import Exit
from anyond.model.rows import ExecutionProcess, ProcessStatus, RunReason
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.operations.turn import undelivered
from anyond.operations.turn.end_reason import write_reason
from anyond.operations.turn.notifications import notify
from anyond.operations.workspace import git_programs
from anyond.procs.shims.launcher import Absent, Alive
from anyond.store.board import drafts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import launches, processes

log = structlog.get_logger()

KILL_S = 10.0
"""Seconds that a shim may take to end all below it; afterwards that is done without it."""


async def end_all(resources: Resources, attempt_id: str, reason: str) -> None:
    """Give up everything that runs in an attempt; see `end_run`. What fails is only logged."""
    for row in await resources.store.read(lambda r: processes.running_of(r, attempt_id)):
        try:
            await end_run(resources, row, reason)
        except Exception as error:
            log.exception("not_given_up", process=row.id, attempt=attempt_id, exc_info=error)


async def end_run(resources: Resources, row: ExecutionProcess, reason: str) -> None:
    """End the program, and make its row final: failed, or killed if a person wanted it stopped.

    Nothing is read of what it said, and nothing is committed: one of that may have been what went
    wrong. For whoever is alone at work in the attempt.

    Args:
        reason: one sentence for the person, which goes into its log.

    Raises:
        Unavailable: disk or database do not take it now; it can be tried again.
    """
    stop = await resources.store.read(lambda r: processes.stop_reason(r, row.id))
    exit = await _end_program(resources, row, reason)
    subject = await read_subject(resources, row.task_attempt_id)
    texts = await _git_programs(resources, subject, row)
    try:
        await write_reason(resources, row, "\n".join([reason, *texts]))
    except Exception as error:
        # The row must not wait for a log that cannot be written, whatever is wrong with that.
        log.warning("reason_not_written", process=row.id, why=str(error))
    status = ProcessStatus.FAILED if stop is None else ProcessStatus.KILLED

    def final(tx: Tx) -> bool:
        if not processes.finish(
            tx,
            row.id,
            status=status,
            exit_code=exit.code if exit is not None else None,
            after_head_commit=None,
            at=now(),
        ):
            return False
        undelivered.give_back(tx, row, now())
        drafts.unqueue(tx, row.task_attempt_id, now())
        run.review(tx, subject.task.id, row.run_reason)
        return row.run_reason is not RunReason.DEV_SERVER

    if await resources.store.write(final):
        await notify(resources, subject, status)
    log.error("given_up", process=row.id, attempt=row.task_attempt_id, reason=reason)


async def _git_programs(resources: Resources, subject: Subject, row: ExecutionProcess) -> list[str]:
    """Withhold what git runs and the program has changed, however the program has ended."""
    if subject.attempt.container_ref is None:
        return []
    try:
        return [remark.text for remark in await git_programs.end(resources, subject, row)]
    except Unavailable:
        raise
    except Exception as error:
        # The row must not wait for what may have been what went wrong.
        log.exception("git_programs_not_seen", process=row.id, exc_info=error)
        return []


async def _end_program(resources: Resources, row: ExecutionProcess, reason: str) -> Exit | None:
    """End all that is left of a program; how it ended, None if it never ran or nobody knows."""
    launcher = resources.launcher
    key, seen = await resources.store.read(
        lambda r: (launches.key(r, row.id), launches.processes(r, row.id))
    )
    try:
        found = launcher.look(row.id, recorded=key is not None)
        if isinstance(found, Alive):
            await _ask_to_kill(resources, row, key or "")
            found = launcher.look(row.id, recorded=key is not None)
        if isinstance(found, Absent):
            return None
        return await launcher.finalize_lost(row.id, reason, seen, force=True)
    except (OSError, Conflict) as error:
        # Files that nobody can read, a process that nothing ends: the row must not wait for that.
        log.warning("program_not_ended", process=row.id, why=str(error))
        return None


async def _ask_to_kill(resources: Resources, row: ExecutionProcess, key: str) -> None:
    """In good order first, so that nothing is lost of what the shim still holds."""
    with trio.move_on_after(KILL_S):
        try:
            running = await resources.launcher.attach(row.id, key, timeout=KILL_S / 2)
        except AnyondError:
            return
        try:
            await running.kill()
            while await running.news():
                pass
        finally:
            await running.aclose()
