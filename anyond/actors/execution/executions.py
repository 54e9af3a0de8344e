"""The executions of one attempt: started, followed, found again, and never left to themselves.

Theory of operation. There is one road for a row that is `running`, whether it was just written or
a daemon was killed beside it: `seek` finds out what has become of it, and starts it if nobody has,
connects to its shim if that lives, and hands it on if it is over. So it is in exactly one of two
hands: `seek`, or a `ProcessActor`, which follows a live shim. What crashes there is counted
by its kind and tried again; what crashes again and again ends the run, with the reason in its log.
Only what passes by itself (a full disk) is waited for however long: it makes the attempt's actor
fail, and its owner wakes it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
import trio

from anyond.actors.execution.attaching import Attaching
from anyond.actors.execution.crashes import Crashes, passes, sentence
from anyond.actors.execution.process import HUNG, KILLED, Finished, ProcessActor
from anyond.actors.execution.starting import Starts
from anyond.machines.attempt_events import Began, Concluded, Event, RowFound, StartFailed
from anyond.machines.process import ApprovalDecided, MessageWritten, StopAsked
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.records import Exit
from anyond.model.refusals.runs import NotStarted
from anyond.model.rows import Approval, ExecutionProcess, RunReason
from anyond.operations.resources import Resources
from anyond.operations.run import abandonment, run
from anyond.operations.run.run import Stoppable
from anyond.operations.turn.turn_record import TurnRecord
from anyond.procs.shims.launcher import Absent, Alive, Ended
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.runs import launches, processes, sessions
from anyond.watchers.logs import Logs

log = structlog.get_logger()

STOPPED_BY_USER = "stopped by a person"

NOT_OBEYED = (
    "The process that supervised it takes no orders from this daemon, and was ended with all it"
    " had started."
)

SERVICES_END_S = 15.0
"""So long a setup script waits for the end of the services that an earlier one has started."""


class Executions:
    """The processes that run in one attempt, or ran when the daemon was killed.

    Args:
        send: leaves an event for the attempt's machine.
        halting: whether somebody wants everything in the attempt stopped.
        stoppable: makes the scope for what a stop of a process cuts short.
        finished: takes what has ended and is to be concluded.
    """

    nursery: trio.Nursery

    def __init__(
        self,
        attempt_id: str,
        resources: Resources,
        logs: Logs,
        *,
        send: Callable[[Event], None],
        halting: Callable[[], bool],
        stoppable: Callable[[str], Stoppable],
        finished: Callable[[Finished], None],
    ) -> None:
        self._attempt_id = attempt_id
        self._resources = resources
        self._logs = logs
        self._send = send
        self._starts = Starts(attempt_id, resources, halting=halting, stoppable=stoppable)
        self._take_finished = finished
        self._actors: dict[str, ProcessActor] = {}
        self._attaching = Attaching(resources)
        self._seeking: set[str] = set()
        self._unanswered: set[str] = set()
        self._crashes: dict[str, Crashes] = {}
        self._ends: dict[str, trio.Event] = {}
        self.recovered = trio.Event()

    def looks_after(self, process_id: str) -> bool:
        """Return whether somebody here follows a process, or finds out what has become of it."""
        return process_id in self._actors or process_id in self._seeking

    # ------------------------------------------------------------ asked from above

    def pass_decision(self, approval: Approval) -> None:
        """Tell the process that asked; if nobody follows it yet, whoever does looks at the row."""
        if actor := self._actors.get(approval.execution_process_id):
            actor.send(ApprovalDecided(approval))

    def pass_message(self, process_id: str) -> None:
        """Tell a process that something waits; whoever follows it later looks by themselves."""
        if actor := self._actors.get(process_id):
            actor.send(MessageWritten())

    async def stop(self, process_id: str) -> None:
        """First the intention is written down, so that it outlives the daemon; then it is told."""
        await self._resources.store.write(
            lambda tx: processes.request_stop(tx, process_id, STOPPED_BY_USER, now())
        )
        if actor := self._actors.get(process_id):
            actor.send(StopAsked())
        else:
            self._attaching.hasten(process_id)

    def forget(self, process_id: str) -> None:
        """It is concluded."""
        if (end := self._ends.pop(process_id, None)) is not None:
            end.set()
        self._actors.pop(process_id, None)
        self._crashes.pop(process_id, None)

    # ------------------------------------------------------------ starting

    async def _start(self, row: ExecutionProcess) -> None:
        """Start the program of `row` and follow it; if that fails, its row says so afterwards."""
        live = self._logs.begin(row.id)
        try:
            if row.run_reason is RunReason.SETUP_SCRIPT:
                await self._end_services()
            started, stopping = await self._starts.start(row)
            await self._follow(
                started.process, started.running, live, started.turn_record, stopping=stopping
            )
        except AnyondError as error:
            log.warning("not_started", process=row.id, why=str(error))
            await self._end_start(row, error)

    async def _end_start(self, row: ExecutionProcess, error: AnyondError) -> None:
        """Whoever waits is told that it failed, so it must not be started later."""
        self._send(StartFailed(row.id, error))
        self._answered(row.id)
        await self._starts.refuse(row, error)
        self._logs.finish(row.id)
        self.forget(row.id)
        self._send(Concluded(row.id))

    async def _end_services(self) -> None:
        """A setup script that runs again starts its services anew: those of before would be in the
        way, and nobody would know which are which."""
        rows = await self._resources.store.read(lambda r: processes.running_of(r, self._attempt_id))
        for row in rows:
            if processes.is_service(row) and self.looks_after(row.id):
                end = self._ends.setdefault(row.id, trio.Event())
                await self.stop(row.id)
                with trio.move_on_after(SERVICES_END_S):
                    await end.wait()

    # ------------------------------------------------------------ following

    async def _follow(
        self,
        row: ExecutionProcess,
        running: ShimConnection,
        live: Any,
        turn_record: TurnRecord | None,
        *,
        stopping: bool,
    ) -> None:
        actor = ProcessActor(
            row,
            running,
            live,
            store=self._resources.store,
            launcher=self._resources.launcher,
            dialogue=turn_record.dialogue() if turn_record is not None else None,
            approval_timeout=turn_record.approval_timeout_s if turn_record is not None else 0,
            silence=lambda: self._resources.config.config.silence_notice_s,
            stopping=stopping,
            finished=self._take_finished,
        )
        self._actors[row.id] = actor
        await self.nursery.start(self._live, actor, row)

    async def _live(
        self, actor: ProcessActor, row: ExecutionProcess, *, task_status: trio.TaskStatus[None]
    ) -> None:
        alongside = row.run_reason is RunReason.DEV_SERVER
        is_open = False
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(actor.run)
                is_open = True
                self._send(Began(row.id, alongside, row))
                task_status.started()
        except Exception as crash:
            if self._actors.get(row.id) is actor:
                del self._actors[row.id]
            if passes(crash) or not is_open:  # else whoever has begun to follow it is told
                raise
            self._send(RowFound(row.id, alongside))
            self.seek(row, crash)

    # ------------------------------------------------------------ seeking

    def seek(self, row: ExecutionProcess, crash: Exception | None = None) -> None:
        """Find out what has become of a running row, and go on from there. Never waits.

        The machine has received its `RowFound`.

        Args:
            crash: what has happened to the actor that has followed it.
        """
        self._logs.begin(row.id)
        self._seeking.add(row.id)
        self._unanswered.add(row.id)
        self.nursery.start_soon(self._seek, row, crash)

    async def _seek(self, row: ExecutionProcess, crash: Exception | None) -> None:
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
            self._seeking.discard(row.id)
            self._answered(row.id)

    async def _may_try_again(self, row: ExecutionProcess, crash: Exception) -> bool:
        crashes = self._crashes.setdefault(row.id, Crashes())
        again = crashes.count(crash)
        details = crash if crashes.first else None
        log.error("execution_crashed", process=row.id, why=sentence(crash), exc_info=details)
        if again:
            self._answered(row.id)
            await trio.sleep(crashes.pause_s)
        else:
            await self._give_up(row, f"Anyon could not follow this run: {sentence(crash)}.", crash)
        return again

    async def _give_up(self, row: ExecutionProcess, reason: str, crash: Exception) -> None:
        await abandonment.end_run(self._resources, row, reason)
        self._send(StartFailed(row.id, NotStarted(crash)))  # for whoever still waits
        self._logs.finish(row.id)
        self.forget(row.id)
        self._send(Concluded(row.id))

    def _answered(self, process_id: str) -> None:
        """Nobody who waits for the recovery of the attempt waits for this process any longer."""
        self._unanswered.discard(process_id)
        if not self._unanswered:
            self.recovered.set()

    async def _find(self, row: ExecutionProcess) -> None:
        """Find out what has become of a process, and go on from there."""
        if row.executor_action == processes.UNREADABLE:
            why = "What was started cannot be read any more: its row is damaged."
            await self._give_up(row, why, ValueError(why))
            return
        if refusal := self._starts.refusal(row.id):
            await self._end_start(row, refusal)
            return
        text, stop, key, seen = await self._resources.store.read(
            lambda r: (
                sessions.stored_turn(r, row.id),
                processes.stop_reason(r, row.id),
                launches.key(r, row.id),
                launches.processes(r, row.id),
            )
        )
        turn_record = TurnRecord.decode(text) if text is not None else None
        launcher = self._resources.launcher
        found = launcher.look(row.id, recorded=key is not None)
        if isinstance(found, Absent):
            if key is not None:
                log.info("starting_again", process=row.id)
                # Before its spool is made anew: whoever finds none then, after another crash, must
                # not take it for one that has run.
                await self._resources.store.write(lambda tx: launches.withdraw(tx, row.id))
            self._answered(row.id)
            await self._start(row)
        elif isinstance(found, Alive):
            if turn_record is not None:
                await turn_record.load()
            running = await self._attaching.attach(
                row.id,
                key,
                stopping=stop is not None,
                silent=lambda: self._answered(row.id),
                refused=lambda why: self._logs.set_unfollowed(row.id, why),
            )
            live = self._logs.begin(row.id)
            if running is None:
                why = HUNG if live.unfollowed is None else NOT_OBEYED
                exit = await launcher.finalize_lost(row.id, why, seen, force=True)
                await self._end(row, turn_record, exit)
                return
            self._logs.set_unfollowed(row.id, None)
            stop = await self._resources.store.read(lambda r: processes.stop_reason(r, row.id))
            await self._follow(row, running, live, turn_record, stopping=stop is not None)
            log.info("attached", process=row.id, pid=running.pid)
        elif (
            isinstance(found, Ended)
            and found.exit.left_running
            and row.run_reason is RunReason.SETUP_SCRIPT
        ):
            await self._end(row, turn_record, found.exit)  # what it has left running is to stay
        else:
            # Also after an exit: perhaps an agent wrote it, and lives.
            why = KILLED if isinstance(found, Ended) else found.reason
            await self._end(row, turn_record, await launcher.finalize_lost(row.id, why, seen))

    async def _end(self, row: ExecutionProcess, turn_record: TurnRecord | None, exit: Exit) -> None:
        log.info("found_ended", process=row.id, exit=exit)
        try:
            conversation = await run.replay(self._resources.launcher, row, turn_record)
        except Exception as error:
            if passes(error):
                raise
            log.exception("not_replayed", process=row.id)
            await self._give_up(
                row, f"What was said could not be read again: {sentence(error)}.", error
            )
            return
        self._take_finished(Finished(row, exit, conversation))
