"""The executions of one attempt: started, followed, found again, and never left to themselves.

Theory of operation. A row that is `running` is in exactly one of these hands: its start, which
makes it final if it fails; a `ProcessActor`, which follows a live shim; or `_resume`, which finds
out what has become of it. What crashes in any of them is counted by its kind and tried again; what
crashes again and again ends the run, with the reason in its log. Only what passes by itself (a full
disk) is waited for however long: it makes the attempt's actor fail, and its owner wakes it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
import trio

from anyond.actors.attaching import Attaching
from anyond.actors.crashes import FIRST_PAUSE_S, LONGEST_PAUSE_S, Crashes, passes, sentence
from anyond.actors.process import HUNG, KILLED, Finished, ProcessActor
from anyond.machines.attempt import Began, Concluded, Event
from anyond.machines.process import StopAsked
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.ids import now
from anyond.model.records import Exit
from anyond.model.rows import Approval, ExecutionProcess, ProcessStatus, RunReason
from anyond.operations import subject
from anyond.operations.rooms import Rooms
from anyond.operations.run import abandonment, run
from anyond.operations.run.run import Stoppable
from anyond.operations.turn.turn_record import TurnRecord
from anyond.procs.launcher import Absent, Alive, Ended
from anyond.procs.shim_connection import ShimConnection
from anyond.store import launches, processes, sessions
from anyond.watchers.logs import Logs

log = structlog.get_logger()

STOPPED_BY_USER = "stopped by a person"

SERVICES_END_S = 15.0
"""So long a setup script waits for the end of the services that an earlier one has started."""


class Executions:
    """What runs in one attempt, or ran when the daemon was killed.

    Args:
        tell: leaves an event for the attempt's machine.
        halting: whether somebody wants everything in the attempt stopped.
        stoppable: makes the scope for what a stop of a process cuts short.
        finished: takes what has ended and is to be concluded.
    """

    nursery: trio.Nursery

    def __init__(
        self,
        attempt_id: str,
        rooms: Rooms,
        logs: Logs,
        *,
        tell: Callable[[Event], None],
        halting: Callable[[], bool],
        stoppable: Callable[[str], Stoppable],
        finished: Callable[[Finished], None],
    ) -> None:
        self._attempt_id = attempt_id
        self._rooms = rooms
        self._logs = logs
        self._tell = tell
        self._halting = halting
        self._stoppable = stoppable
        self._take_finished = finished
        self._actors: dict[str, ProcessActor] = {}
        self._attaching = Attaching(rooms)
        self._resuming: set[str] = set()
        self._unanswered: set[str] = set()
        self._starting: set[str] = set()
        self._crashes: dict[str, Crashes] = {}
        self._refusals: dict[str, AnyondError] = {}
        self._ends: dict[str, trio.Event] = {}
        self.recovered = trio.Event()

    @property
    def idle(self) -> bool:
        """Whether nothing is looked for any more; what is found is known to the machine."""
        return not self._resuming

    def looks_after(self, process_id: str) -> bool:
        """Whether somebody here follows a process, or finds out what has become of it."""
        return process_id in self._actors or process_id in self._resuming | self._starting

    # ------------------------------------------------------------ asked from above

    def decide(self, approval: Approval) -> None:
        """Hand a decision to the process that asked, if it lives."""
        if actor := self._actors.get(approval.execution_process_id):
            actor.decide(approval)

    def steer(self, process_id: str) -> None:
        """Something was written down that is to be said to the agent of a process, if it lives."""
        if actor := self._actors.get(process_id):
            actor.steer()

    async def stop(self, process_id: str) -> None:
        """First the intention is written down, so that it outlives the daemon; then it is told."""
        await self._rooms.store.write(
            lambda tx: processes.request_stop(tx, process_id, STOPPED_BY_USER, now())
        )
        if actor := self._actors.get(process_id):
            actor.tell(StopAsked())
        else:
            self._attaching.hasten(process_id)

    def forget(self, process_id: str) -> None:
        """It is concluded."""
        if (end := self._ends.pop(process_id, None)) is not None:
            end.set()
        self._actors.pop(process_id, None)
        self._crashes.pop(process_id, None)

    # ------------------------------------------------------------ starting

    async def start(self, row: ExecutionProcess) -> ExecutionProcess:
        """Start the program of `row` and follow it.

        Raises:
            AnyondError: it did not start; its row says so, and its chain is over.
        """
        live = self._logs.begin(row.id)
        self._starting.add(row.id)
        try:
            if row.run_reason is RunReason.SETUP_SCRIPT:
                await self._end_services()
            about = await subject.read(self._rooms, self._attempt_id)
            started = await run.start(
                self._rooms,
                row,
                about,
                wanted=lambda: not self._halting(),
                stoppable=self._stoppable(row.id),
            )
            stop = await self._rooms.store.read(lambda r: processes.stop_reason(r, row.id))
            await self._follow(
                started.process, started.running, live, started.kept, stopping=stop is not None
            )
        except Exception as error:
            if await self._is_running(row.id):
                if isinstance(error, AnyondError):
                    self._refusals[row.id] = error
                self._begin_resuming(row)
            else:
                self._logs.finish(row.id)
            raise
        finally:
            self._starting.discard(row.id)
        return started.process

    async def _end_services(self) -> None:
        """A setup script that runs again starts its services anew: those of before would be in the
        way, and nobody would know which are which."""
        rows = await self._rooms.store.read(lambda r: processes.running_of(r, self._attempt_id))
        for row in rows:
            if processes.is_service(row) and self.looks_after(row.id):
                end = self._ends.setdefault(row.id, trio.Event())
                await self.stop(row.id)
                with trio.move_on_after(SERVICES_END_S):
                    await end.wait()

    async def _is_running(self, process_id: str) -> bool:
        try:
            row = await self._rooms.store.read(lambda r: processes.get(r, process_id))
        except Unavailable:
            return True  # as far as anybody knows
        except AnyondError:
            return False
        return row.status is ProcessStatus.RUNNING

    # ------------------------------------------------------------ following

    async def _follow(
        self,
        row: ExecutionProcess,
        running: ShimConnection,
        live: Any,
        kept: TurnRecord | None,
        *,
        stopping: bool,
    ) -> None:
        actor = ProcessActor(
            row,
            running,
            live,
            store=self._rooms.store,
            launcher=self._rooms.launcher,
            dialogue=kept.dialogue() if kept is not None else None,
            approval_timeout=kept.approval_timeout_s if kept is not None else 0,
            silence=lambda: self._rooms.config.config.silence_notice_s,
            stopping=stopping,
            finished=self._take_finished,
        )
        self._actors[row.id] = actor
        opened = trio.Event()
        self.nursery.start_soon(self._live, actor, row, opened)
        await opened.wait()
        self._tell(Began(row.id, row.run_reason is RunReason.DEV_SERVER))

    async def _live(self, actor: ProcessActor, row: ExecutionProcess, opened: trio.Event) -> None:
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(actor.run)
                opened.set()
        except Exception as crash:
            if self._actors.get(row.id) is actor:
                del self._actors[row.id]
            if passes(crash):
                raise
            self._begin_resuming(row, crash)
        finally:
            opened.set()

    # ------------------------------------------------------------ finding again

    def adopt(self, row: ExecutionProcess) -> None:
        """Go on with a process that nobody follows, such as after the end of a daemon."""
        self._logs.begin(row.id)
        self._begin_resuming(row)

    def _begin_resuming(self, row: ExecutionProcess, crash: Exception | None = None) -> None:
        self._resuming.add(row.id)
        self._unanswered.add(row.id)
        self._tell(Began(row.id, row.run_reason is RunReason.DEV_SERVER))
        self.nursery.start_soon(self._resume, row, crash)

    async def _resume(self, row: ExecutionProcess, crash: Exception | None) -> None:
        try:
            while True:
                if crash is not None and not await self._may_try_again(row, crash):
                    return
                try:
                    await self._find(row)
                except Exception as error:
                    if passes(error):
                        raise
                    crash = error
                else:
                    return
        finally:
            self._resuming.discard(row.id)
            self._answered(row.id)
            self._tell(Concluded(""))  # wakes the loop: it may be idle now

    async def _may_try_again(self, row: ExecutionProcess, crash: Exception) -> bool:
        crashes = self._crashes.setdefault(row.id, Crashes())
        again = crashes.count(crash)
        details = crash if crashes.first else None
        log.error("execution_crashed", process=row.id, why=sentence(crash), exc_info=details)
        if again:
            self._answered(row.id)
            await trio.sleep(crashes.pause_s)
        else:
            await self._give_up(row, f"Anyon could not follow this run: {sentence(crash)}.")
        return again

    async def _give_up(self, row: ExecutionProcess, reason: str) -> None:
        await abandonment.end_run(self._rooms, row, reason)
        self._logs.finish(row.id)
        self.forget(row.id)
        self._tell(Concluded(row.id))

    def _answered(self, process_id: str) -> None:
        """Nobody who waits for the recovery of the attempt waits for this process any longer."""
        self._unanswered.discard(process_id)
        if not self._unanswered:
            self.recovered.set()

    async def _find(self, row: ExecutionProcess) -> None:
        """Find out what has become of a process, and go on from there."""
        if row.executor_action == processes.UNREADABLE:
            await self._give_up(
                row, "What was started cannot be read any more: its row is damaged."
            )
            return
        if refusal := self._refusals.get(row.id):
            await self._fail_start(row, refusal)
            self._logs.finish(row.id)
            self._tell(Concluded(row.id))
            return
        text, stop, key, seen = await self._rooms.store.read(
            lambda r: (
                sessions.kept_turn(r, row.id),
                processes.stop_reason(r, row.id),
                launches.key(r, row.id),
                launches.processes(r, row.id),
            )
        )
        kept = TurnRecord.decode(text) if text is not None else None
        launcher = self._rooms.launcher
        found = launcher.look(row.id, recorded=key is not None)
        if isinstance(found, Absent):
            log.info("starting_again", process=row.id)
            if key is not None:
                # Before its spool is made anew: whoever finds none then, after another crash, must
                # not take it for one that has run.
                await self._rooms.store.write(lambda tx: launches.withdraw(tx, row.id))
            self._answered(row.id)
            await self._start_again(row)
        elif isinstance(found, Alive):
            running = await self._attaching.attach(
                row.id, key, stopping=stop is not None, silent=lambda: self._answered(row.id)
            )
            if running is None:
                exit = await launcher.finalize_lost(row.id, HUNG, seen, force=True)
                await self._end(row, kept, exit)
                return
            live = self._logs.begin(row.id)
            stop = await self._rooms.store.read(lambda r: processes.stop_reason(r, row.id))
            await self._follow(row, running, live, kept, stopping=stop is not None)
            log.info("attached", process=row.id, pid=running.pid)
        elif (
            isinstance(found, Ended)
            and found.exit.kept
            and row.run_reason is RunReason.SETUP_SCRIPT
        ):
            await self._end(row, kept, found.exit)  # what it has left running is to stay
        else:
            # Also after an exit: perhaps an agent wrote it, and lives.
            why = KILLED if isinstance(found, Ended) else found.reason
            await self._end(row, kept, await launcher.finalize_lost(row.id, why, seen))

    async def _fail_start(self, row: ExecutionProcess, refusal: AnyondError) -> None:
        """Whoever asked was told that it failed, so it must not be started later."""
        self._answered(row.id)
        about = await subject.read(self._rooms, self._attempt_id)
        pause = FIRST_PAUSE_S
        while True:
            try:
                return await run.fail_start(self._rooms, row, about, refusal)
            except Unavailable as error:
                log.warning("not_written", process=row.id, why=str(error))
            await trio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _start_again(self, row: ExecutionProcess) -> None:
        try:
            await self.start(row)
        except AnyondError as error:
            log.warning("not_started", process=row.id, why=str(error))
            if row.id not in self._refusals:
                self._tell(Concluded(row.id))

    async def _end(self, row: ExecutionProcess, kept: TurnRecord | None, exit: Exit) -> None:
        log.info("found_ended", process=row.id, exit=exit)
        try:
            conversation = await run.replay(self._rooms.launcher, row, kept)
        except Exception as error:
            if passes(error):
                raise
            log.exception("not_replayed", process=row.id)
            await self._give_up(row, f"What was said could not be read again: {sentence(error)}.")
            return
        self._take_finished(Finished(row, exit, conversation))
