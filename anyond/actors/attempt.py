"""One attempt at work: the only place from which its worktree is written to."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
import trio

from anyond.actors.core import Actor
from anyond.actors.execution.crashes import passes, sentence
from anyond.actors.execution.executions import Executions
from anyond.actors.execution.process import Finished
from anyond.machines.attempt import AttemptMachine
from anyond.machines.attempt_events import (
    AwaitStart,
    Command,
    Conclude,
    Concluded,
    Event,
    HastenStop,
    JobDone,
    Over,
    PassDecision,
    PassMessage,
    RowFound,
    RunExclusive,
    RunJob,
    StopProcess,
)
from anyond.model.errors import AnyondError
from anyond.model.refusals.runs import Stopped
from anyond.model.rows import ExecutionProcess, RunReason
from anyond.operations.resources import Resources
from anyond.operations.run import abandonment
from anyond.operations.run.conclude import Following, conclude
from anyond.operations.subject import read as read_subject
from anyond.store.runs import processes
from anyond.watchers.logs import Logs

log = structlog.get_logger()

R = TypeVar("R")

LAST_SECONDS = 3.0
"""So long may what is done beside processes go on after a stop: time for all but a hanging hook."""


class AttemptActor(Actor[Event, Command]):
    """Lives while something runs in the attempt or is being done to it.

    Args:
        resources: what operations may reach.
        logs: where followers find what the processes say.
        running: what is known to run there before it has looked.
    """

    machine: AttemptMachine

    def __init__(
        self,
        attempt_id: str,
        resources: Resources,
        logs: Logs,
        running: Iterable[ExecutionProcess] = (),
    ) -> None:
        super().__init__()
        self.attempt_id = attempt_id
        self.machine = AttemptMachine()
        self._resources = resources
        self._logs = logs
        self._has_opened = False
        self._finished: dict[str, Finished] = {}
        self._hastened: set[trio.CancelScope] = set()
        self._job_scope: trio.CancelScope | None = None
        self.executions = Executions(
            attempt_id,
            resources,
            logs,
            send=self.send,
            halting=lambda: self.machine.halting,
            stoppable=lambda process_id: lambda: self._stoppable(process_id),
            finished=self._take_finished,
        )
        self.recovered = self.executions.recovered
        self._was_busy = False
        for row in running:
            logs.begin(row.id)
            self._was_busy = self._was_busy or not row_found(row).alongside

    def __str__(self) -> str:
        return f"attempt {self.attempt_id}"

    @property
    def busy(self) -> bool:
        """True if somebody is at work in the worktree, as far as is known before it has looked."""
        return self.machine.busy or (self._was_busy and not self._has_opened)

    # ------------------------------------------------------------ life

    def idle(self) -> bool:
        return self.machine.idle

    async def begin(self) -> None:
        await read_subject(self._resources, self.attempt_id)

    async def opened(self) -> None:
        """Find what runs by its rows: it was just written down, or ran when the daemon was killed.

        Before anything that is asked: nobody may think that they are alone.
        """
        self.executions.nursery = self.nursery
        rows = await self._resources.store.read(lambda r: processes.running_of(r, self.attempt_id))
        for row in rows:
            await self.handle(row_found(row))
            self.executions.seek(row)
        if not rows:
            self.recovered.set()
        self._has_opened = True

    async def perform(self, command: Command) -> None:
        match command:
            case RunJob(request):
                self.nursery.start_soon(self._job, request)
            case StopProcess(process_id):
                await self.executions.stop(process_id)
            case Conclude(process_id):
                self.nursery.start_soon(self._conclude, process_id)
            case HastenStop():
                for scope in self._hastened:
                    scope.deadline = min(scope.deadline, trio.current_time() + LAST_SECONDS)
            case PassDecision(approval):
                self.executions.pass_decision(approval)
            case PassMessage(process_id):
                self.executions.pass_message(process_id)

    # ------------------------------------------------------------ asked from above

    async def do(
        self, work: Callable[[AttemptActor], Awaitable[R]], *, alongside: bool = False
    ) -> R:
        """Run `work` as the only one in the worktree.

        Args:
            alongside: it only starts what lives beside an agent or script.

        Raises:
            Busy: somebody else is at work.
        """
        return await self.ask(RunExclusive(lambda: work(self), alongside))

    def looks_after(self, process_id: str) -> bool:
        """Return whether somebody here will see to it that the row of a process becomes final."""
        if not self._has_opened:
            return True  # it is about to look for all that run
        return process_id in self._finished or self.executions.looks_after(process_id)

    def adopt(self, row: ExecutionProcess) -> None:
        """Look after a process from now on: start it, follow it, or conclude it.

        Does nothing if somebody does already.
        """
        if not self.looks_after(row.id):
            self.send(row_found(row))
            self.executions.seek(row)

    # ------------------------------------------------------------ processes

    async def start(self, row: ExecutionProcess) -> ExecutionProcess:
        """Look after a process whose row was just written; returns when it runs. For jobs.

        Raises:
            AnyondError: it did not start; its row says so, and its chain is over.
        """
        if self._job_scope is not None:
            # From here on a stop ends the process, not the job that starts it.
            self._hastened.discard(self._job_scope)
            self._job_scope.deadline = math.inf
        self.adopt(row)
        return await self.ask(AwaitStart(row.id), math.inf) or row

    def _take_finished(self, finished: Finished) -> None:
        self._finished[finished.process.id] = finished
        self.send(Over(finished.process.id))

    async def _conclude(self, process_id: str) -> None:
        finished = self._finished[process_id]
        following = await self._conclude_or_give_up(finished)
        if following.next is not None:
            self._logs.begin(following.next.id)
        self._logs.finish(process_id)
        self.executions.forget(process_id)
        if following.services is not None and not await self._start_next(following.services):
            await self._resources.launcher.end_services(process_id)
        if following.next is not None:
            await self._start_next(following.next)
        del self._finished[process_id]
        self.send(Concluded(process_id))

    async def _conclude_or_give_up(self, finished: Finished) -> Following:
        """The row is final afterwards, unless disk or database refuse; then this raises."""
        process = finished.process
        try:
            subject = await read_subject(self._resources, self.attempt_id)
            return await conclude(
                self._resources,
                subject,
                process,
                exit=finished.exit,
                conversation=finished.conversation,
                halting=lambda: self.machine.halting,
                stoppable=lambda: self._stoppable(process.id),
            )
        except Exception as crash:
            if passes(crash):
                raise
            log.exception("not_concluded", process=process.id)
            why = f"Anyon could not finish this run: {sentence(crash)}. Its work is not committed."
        await abandonment.end_run(self._resources, process, why)
        return Following()

    async def _start_next(self, row: ExecutionProcess) -> bool:
        try:
            await self.start(row)
        except AnyondError:
            return False  # its row and the log say why
        return True

    # ------------------------------------------------------------ jobs

    @contextmanager
    def _stoppable(self, process_id: str | None = None) -> Iterator[trio.CancelScope]:
        """Give up the work of the block soon after a stop: of everything, or of that process."""
        with trio.CancelScope() as scope:
            if self.machine.halting or (process_id and self.machine.is_halted(process_id)):
                scope.deadline = trio.current_time() + LAST_SECONDS
            self._hastened.add(scope)
            try:
                yield scope
            finally:
                self._hastened.discard(scope)

    async def _job(self, request: RunExclusive[Any]) -> None:
        with self._stoppable() as scope:
            self._job_scope = scope
            await self._work(request)
        self._job_scope = None
        if scope.cancelled_caught:
            stopped = Stopped("before it was done")
            self.send(JobDone(request, error=stopped))

    async def _work(self, request: RunExclusive[Any]) -> None:
        try:
            value = await request.work()
        except AnyondError as error:
            self.send(JobDone(request, error=error))
        except trio.Cancelled:
            raise
        except Exception as bug:
            log.exception("job_failed", attempt=self.attempt_id)
            self.send(JobDone(request, error=bug))
        else:
            self.send(JobDone(request, value))


def row_found(row: ExecutionProcess) -> RowFound:
    """The event that it is being found out what has become of a row."""
    return RowFound(row.id, row.run_reason is RunReason.DEV_SERVER)
