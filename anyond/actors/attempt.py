"""One attempt at work: the only place from which its worktree is written to."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
import trio

from anyond.actors.core import Actor
from anyond.actors.logs import Logs
from anyond.actors.process import Finished, ProcessActor
from anyond.machines.attempt import (
    AttemptMachine,
    Began,
    Command,
    Conclude,
    Concluded,
    Do,
    Event,
    Hurry,
    JobDone,
    Over,
    RunJob,
    StopProcess,
)
from anyond.machines.process import StopAsked
from anyond.model.errors import AnyondError, Conflict
from anyond.model.ids import now
from anyond.model.rows import Approval, ExecutionProcess, RunReason
from anyond.operations import run, subject
from anyond.operations.conclude import conclude
from anyond.operations.rooms import Rooms
from anyond.operations.turn_record import TurnRecord
from anyond.procs.launcher import Absent, Alive, Ended
from anyond.store import processes, sessions

log = structlog.get_logger()

R = TypeVar("R")

STOPPED_BY_USER = "stopped by a person"

LAST_SECONDS = 3.0
"""So long may what is done beside processes go on after a stop: time for all but a hanging hook."""


class AttemptActor(Actor[Event, Command]):
    """Lives while something runs in the attempt or is being done to it.

    Args:
        rooms: what operations may reach.
        logs: where followers find what the processes say.
        fresh: the id of a process that was just written down and is started by a job to come.
    """

    machine: AttemptMachine

    def __init__(self, attempt_id: str, rooms: Rooms, logs: Logs, fresh: str | None = None) -> None:
        super().__init__()
        self.attempt_id = attempt_id
        self.machine = AttemptMachine()
        self._rooms = rooms
        self._logs = logs
        self._fresh = fresh
        self._processes: dict[str, ProcessActor] = {}
        self._finished: dict[str, Finished] = {}
        self._resuming = 0
        self._hurried: set[trio.CancelScope] = set()
        self._job_scope: trio.CancelScope | None = None
        self.recovered = trio.Event()

    def __str__(self) -> str:
        return f"attempt {self.attempt_id}"

    # ------------------------------------------------------------ life

    def idle(self) -> bool:
        return self.machine.idle and not self._finished and not self._resuming

    async def begin(self) -> None:
        await subject.read(self._rooms, self.attempt_id)

    async def opened(self) -> None:
        """Find what still runs, or ran when the daemon was killed, and go on with it."""
        rows = await self._rooms.store.read(lambda r: processes.running_of(r, self.attempt_id))
        rows = [row for row in rows if row.id != self._fresh]
        for row in rows:
            # At once, for requests may be waiting: nobody else may think that they are alone.
            self.machine.handle(Began(row.id, row.run_reason is RunReason.DEV_SERVER))
            self._logs.begin(row.id)
            self._resuming += 1
            self.nursery.start_soon(self._resume, row)
        if not rows:
            self.recovered.set()

    async def perform(self, command: Command) -> None:
        match command:
            case RunJob(request):
                self.nursery.start_soon(self._job, request)
            case StopProcess(process_id):
                await self._stop(process_id)
            case Conclude(process_id):
                self.nursery.start_soon(self._conclude, process_id)
            case Hurry():
                for scope in self._hurried:
                    scope.deadline = min(scope.deadline, trio.current_time() + LAST_SECONDS)

    # ------------------------------------------------------------ asked from above

    async def do(self, work: Callable[[AttemptActor], Awaitable[R]], *, beside: bool = False) -> R:
        """Run `work` as the only one in the worktree.

        Args:
            beside: it only starts what lives beside an agent or script.

        Raises:
            Busy: somebody else is at work.
        """
        return await self.ask(Do(lambda: work(self), beside))

    def decide(self, approval: Approval) -> None:
        """Hand a decision to the process that asked, if it lives."""
        process = self._processes.get(approval.execution_process_id)
        if process is not None:
            process.decide(approval)

    def steer(self, process_id: str) -> None:
        """Something was written down that is to be said to the agent of a process, if it lives."""
        process = self._processes.get(process_id)
        if process is not None:
            process.steer()

    # ------------------------------------------------------------ processes

    async def start(self, row: ExecutionProcess) -> ExecutionProcess:
        """Start the program of `row` and follow it. For jobs of this actor.

        Raises:
            AnyondError: it did not start; its row says so, and its chain is over.
        """
        if self._job_scope is not None:
            # From here on a stop ends the process, not the job that starts it.
            self._hurried.discard(self._job_scope)
            self._job_scope.deadline = math.inf
        live = self._logs.begin(row.id)
        about = await subject.read(self._rooms, self.attempt_id)
        try:
            started = await run.start(
                self._rooms,
                row,
                about,
                wanted=lambda: not self.machine.halting,
                stoppable=lambda: self._stoppable(row.id),
            )
        except AnyondError:
            self._logs.finish(row.id)
            raise
        stop = await self._rooms.store.read(lambda r: processes.stop_reason(r, row.id))
        await self._follow(
            started.process, started.running, live, started.kept, stopping=stop is not None
        )
        return started.process

    async def _follow(
        self,
        row: ExecutionProcess,
        running: Any,
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
        self._processes[row.id] = actor
        await self.nursery.start(actor.run)
        self.tell(Began(row.id, row.run_reason is RunReason.DEV_SERVER))

    def _take_finished(self, finished: Finished) -> None:
        self._finished[finished.process.id] = finished
        self.tell(Over(finished.process.id))

    async def _stop(self, process_id: str) -> None:
        """First the intention is written down, so that it outlives the daemon; then it is told."""
        await self._rooms.store.write(
            lambda tx: processes.request_stop(tx, process_id, STOPPED_BY_USER, now())
        )
        if actor := self._processes.get(process_id):
            actor.tell(StopAsked())

    async def _resume(self, row: ExecutionProcess) -> None:
        """Go on with a process that was running when the daemon ended, however that was."""
        text, stop = await self._rooms.store.read(
            lambda r: (sessions.kept_turn(r, row.id), processes.stop_reason(r, row.id))
        )
        kept = TurnRecord.decode(text) if text is not None else None
        launcher = self._rooms.launcher
        found = launcher.look(row.id)
        try:
            if isinstance(found, Alive):
                running = await launcher.attach(row.id)
                live = self._logs.begin(row.id)
                await self._follow(row, running, live, kept, stopping=stop is not None)
                log.info("attached", process=row.id, pid=running.pid)
            elif isinstance(found, Absent):
                log.info("starting_again", process=row.id)
                self.tell(Began(row.id, row.run_reason is RunReason.DEV_SERVER))
                self._found()
                if not await self._start_next(row):
                    self.tell(Concluded(row.id))
                return
            else:
                exit = (
                    found.exit
                    if isinstance(found, Ended)
                    else await launcher.finalize_lost(row.id, found.reason)
                )
                log.info("found_ended", process=row.id, exit=exit)
                beside = row.run_reason is RunReason.DEV_SERVER
                self.tell(Began(row.id, beside))
                conversation = await run.replay(launcher, row, kept)
                self._take_finished(Finished(row, exit, conversation))
        finally:
            self._found()

    def _found(self) -> None:
        self._resuming = max(0, self._resuming - 1)
        if self._resuming == 0:
            self.recovered.set()
            self.tell(Concluded(""))  # wakes the loop: it may be idle now

    async def _conclude(self, process_id: str) -> None:
        finished = self._finished[process_id]
        about = await subject.read(self._rooms, self.attempt_id)
        following = await conclude(
            self._rooms,
            about,
            finished.process,
            exit=finished.exit,
            conversation=finished.conversation,
            halting=lambda: self.machine.halting,
            stoppable=lambda: self._stoppable(process_id),
        )
        if following.next is not None:
            self._logs.begin(following.next.id)
        self._logs.finish(process_id)
        self._processes.pop(process_id, None)
        if following.services is not None and not await self._start_next(following.services):
            await self._rooms.launcher.end_services(process_id)
        if following.next is not None:
            await self._start_next(following.next)
        del self._finished[process_id]
        self.tell(Concluded(process_id))

    async def _start_next(self, row: ExecutionProcess) -> bool:
        try:
            await self.start(row)
        except AnyondError as error:
            log.warning("not_started", process=row.id, why=str(error))
            return False
        return True

    # ------------------------------------------------------------ jobs

    @contextmanager
    def _stoppable(self, process_id: str | None = None) -> Iterator[trio.CancelScope]:
        """What the block does is given up soon after a stop: of everything, or of that process."""
        with trio.CancelScope() as scope:
            if self.machine.halting or (process_id and self.machine.unwanted(process_id)):
                scope.deadline = trio.current_time() + LAST_SECONDS
            self._hurried.add(scope)
            try:
                yield scope
            finally:
                self._hurried.discard(scope)

    async def _job(self, request: Do[Any]) -> None:
        with self._stoppable() as scope:
            self._job_scope = scope
            await self._work(request)
        self._job_scope = None
        if scope.cancelled_caught:
            stopped = Conflict("stopped", "It was stopped before it was done.")
            self.tell(JobDone(request, error=stopped))

    async def _work(self, request: Do[Any]) -> None:
        try:
            value = await request.work()
        except AnyondError as error:
            self.tell(JobDone(request, error=error))
        except trio.Cancelled:
            raise
        except Exception as bug:
            log.exception("job_failed", attempt=self.attempt_id)
            self.tell(JobDone(request, error=bug))
        else:
            self.tell(JobDone(request, value))
