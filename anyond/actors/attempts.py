"""The active attempts: at most one actor owns an attempt at any instant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
import trio
from msgspec import Struct, field

from anyond.actors.attempt import AttemptActor
from anyond.actors.backlog import Backlog
from anyond.actors.core import Intensity
from anyond.actors.execution.executions import STOPPED_BY_USER
from anyond.machines.attempt_events import (
    AwaitStart,
    Decided,
    Halt,
    HaltProcess,
    RunExclusive,
    Steered,
)
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import Approval, ExecutionProcess
from anyond.operations.resources import Resources
from anyond.operations.run.abandonment import end_all
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes
from anyond.watchers.logs import Logs

log = structlog.get_logger()

R = TypeVar("R")

INTENSITY = Intensity()

LEAVES_S = 5.0
"""Seconds that jobs and actors may take to end when nothing runs in their attempts any more."""

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0
"""The exponential backoff before an attempt whose actor has failed gets the next one."""

RECOVERY_SECONDS = 15.0
"""The timeout of the recovery of what has ended meanwhile, before requests are accepted."""


class _Tenancy(Struct, eq=False):
    actor: AttemptActor
    over: trio.Event = field(default_factory=trio.Event)


class Attempts:
    """Wakes the actor of an attempt when it is needed; the next one starts when the last is over.

    Args:
        nursery: where the actors live; none of their crashes reaches it.
    """

    def __init__(self, nursery: trio.Nursery, resources: Resources, logs: Logs) -> None:
        self._nursery = nursery
        self._resources = resources
        self._logs = logs
        self._tenancies: dict[str, _Tenancy] = {}
        self._failures: dict[str, int] = {}
        self._inactive: dict[str, trio.Event] = {}
        self._backlog = Backlog(self._start)
        logs.awaited = self._backlog.hasten

    async def do(
        self,
        attempt_id: str,
        work: Callable[[AttemptActor], Awaitable[R]],
        *,
        alongside: bool = False,
    ) -> R:
        """Run `work` as the only one in the attempt's worktree; see `AttemptActor.do`.

        Raises:
            NotFound: there is no such attempt.
            Busy: somebody else is at work there, or it is being deleted.
        """
        return await self._actor_of(attempt_id).do(work, alongside=alongside)

    def later(self, attempt_id: str, work: Callable[[AttemptActor], Awaitable[object]]) -> None:
        """Run `work` as soon as nobody else is at work in the attempt. Never waits.

        What it returns or raises is dropped, and so is the work itself if the daemon ends before.
        """
        if attempt_id not in self._inactive:
            actor = self._tenant(attempt_id).actor
            actor.send(RunExclusive(lambda: work(actor), patient=True))

    async def begin(self, process: ExecutionProcess) -> None:
        """Wait for the start of a process whose row was just written with its attempt.

        Its actor finds the row as it finds those of before a restart; here somebody waits for it.

        Raises:
            AnyondError: it did not start; its row says so.
        """
        await self._actor_of(process.task_attempt_id).ask(AwaitStart(process.id))

    async def halt(self, attempt_id: str) -> None:
        """Stop everything that runs in the attempt; returns when it is over."""

        # Here already, so that it outlives an actor that fails before it hears of it.
        def mark_stopping(tx: Tx) -> None:
            for row in processes.running_of(tx, attempt_id):
                processes.request_stop(tx, row.id, STOPPED_BY_USER, now())

        await self._resources.store.write(mark_stopping)
        await self._actor_of(attempt_id).ask(Halt())

    async def halt_process(self, attempt_id: str, process_id: str) -> None:
        """Stop one process; returns when it is over."""
        await self._actor_of(attempt_id).ask(HaltProcess(process_id))

    async def end_services(self, *attempt_ids: str) -> None:
        """End what setup scripts have left running, if nothing else runs in any of the attempts.

        What is short, as an actor that just leaves, is given `LEAVES_S` to end.
        """

        def running(reader: Reader) -> list[ExecutionProcess]:
            return [row for id in attempt_ids for row in processes.running_of(reader, id)]

        rows = await self._resources.store.read(running)
        if not all(processes.is_service(row) for row in rows):
            return
        for row in rows:
            await self.halt_process(row.task_attempt_id, row.id)
        with trio.move_on_after(LEAVES_S):
            for attempt_id in attempt_ids:
                if (tenancy := self._tenancies.get(attempt_id)) is not None:
                    await tenancy.over.wait()

    @contextmanager
    def hold_inactive(self, *attempt_ids: str) -> Iterator[None]:
        """Let nobody begin anything in these attempts until it is known whether they are deleted.

        What is begun between a look at who is at work and the deletion would work on in a worktree
        that goes away, and write about rows that are not there any more.

        Raises:
            Busy: somebody is at work in one of them, or one is being deleted already.
        """
        taken = self._inactive.keys() | self._tenancies.keys()
        if not taken.isdisjoint(attempt_ids):
            raise Busy.ending()
        over = trio.Event()
        self._inactive.update(dict.fromkeys(attempt_ids, over))
        try:
            yield
        finally:
            for attempt_id in attempt_ids:
                del self._inactive[attempt_id]
            over.set()

    def decide(self, approval: Approval) -> None:
        """Hand a decision to the process that asked. Never waits."""
        tenancy = self._tenancies.get(approval.task_attempt_id)
        if tenancy is not None:
            tenancy.actor.send(Decided(approval))
            self._backlog.hasten(approval.task_attempt_id)

    def steer(self, process: ExecutionProcess) -> None:
        """Something was written down that is to be said to the agent of `process`. Never waits."""
        tenancy = self._tenancies.get(process.task_attempt_id)
        if tenancy is not None:
            tenancy.actor.send(Steered(process.id))
            self._backlog.hasten(process.task_attempt_id)

    def is_active(self, attempt_id: str) -> bool:
        """Return whether an actor owns the attempt now."""
        return attempt_id in self._tenancies

    def is_busy(self, attempt_id: str) -> bool:
        """Return whether a job, or a process other than a dev server, is at work in the attempt
        now.
        """
        tenancy = self._tenancies.get(attempt_id)
        return tenancy is not None and tenancy.actor.busy

    def failures(self, attempt_id: str) -> int:
        """Return the number of failures in a row of its actor while something ran there."""
        return self._failures.get(attempt_id, 0)

    async def recover(self, serving: trio.Event | None = None) -> None:
        """Go on with everything that ran when the last daemon ended.

        Returns when the rows are true: what has ended meanwhile is found. What lives is owned by
        then, and followed afterwards, a few attempts at a time.

        Args:
            serving: when to begin with that, unless somebody asks before; at once if None.
        """
        rows, stopping = await self._resources.store.read(
            lambda r: (processes.running(r), processes.stopping(r))
        )
        of_attempt: dict[str, list[ExecutionProcess]] = {}
        for row in rows:
            of_attempt.setdefault(row.task_attempt_id, []).append(row)
        alive = await self._alive(of_attempt.values())
        found = []
        for attempt_id, running in of_attempt.items():
            if not alive.issuperset(row.id for row in running):
                found.append(self._tenant(attempt_id))
            else:
                self._own(attempt_id, running)
                if not stopping.isdisjoint(row.id for row in running):
                    self._backlog.hasten(attempt_id)
        self._nursery.start_soon(self._backlog.run, serving)
        with trio.move_on_after(RECOVERY_SECONDS) as scope:
            for tenancy in found:
                await tenancy.actor.recovered.wait()
        if scope.cancelled_caught:
            missing = sum(not tenancy.actor.recovered.is_set() for tenancy in found)
            log.warning("still_recovering", attempts=missing)

    async def _alive(self, rows: Iterable[list[ExecutionProcess]]) -> set[str]:
        """Those whose shims live, which are followed again; nothing is done to the others here."""
        ids = [row.id for running in rows for row in running]
        if not ids:
            return set()
        launcher = self._resources.launcher
        return await trio.to_thread.run_sync(lambda: {id for id in ids if launcher.is_alive(id)})

    def _own(self, attempt_id: str, running: Iterable[ExecutionProcess]) -> None:
        """Be at work in an attempt whose actor is started later."""
        actor = AttemptActor(attempt_id, self._resources, self._logs, running)
        self._tenancies[attempt_id] = _Tenancy(actor)
        self._backlog.add(attempt_id)

    def _start(self, attempt_id: str) -> trio.Event:
        tenancy = self._tenancies[attempt_id]
        self._nursery.start_soon(self._live, attempt_id, tenancy, None)
        return tenancy.actor.recovered

    def looks_after(self, row: ExecutionProcess) -> bool:
        """Return whether somebody will see to it that a running row becomes final."""
        tenancy = self._tenancies.get(row.task_attempt_id)
        return tenancy is not None and tenancy.actor.looks_after(row.id)

    def adopt(self, row: ExecutionProcess) -> None:
        """Look after a running row that nobody looks after. Never waits."""
        former = self._tenancies.get(row.task_attempt_id)
        if former is not None and not former.actor.gone:
            former.actor.adopt(row)
        elif row.task_attempt_id not in self._inactive:  # else it is looked at again later
            self._tenant(row.task_attempt_id)

    def _actor_of(self, attempt_id: str) -> AttemptActor:
        tenancy = self._tenant(attempt_id)
        self._backlog.hasten(attempt_id)  # somebody waits for it
        return tenancy.actor

    def _tenant(self, attempt_id: str) -> _Tenancy:
        former = self._tenancies.get(attempt_id)
        if former is not None and not former.actor.gone:
            return former
        if attempt_id in self._inactive:
            raise Busy.deletion()
        tenancy = _Tenancy(AttemptActor(attempt_id, self._resources, self._logs))
        self._tenancies[attempt_id] = tenancy
        self._nursery.start_soon(self._live, attempt_id, tenancy, former)
        return tenancy

    async def _live(self, attempt_id: str, tenancy: _Tenancy, former: _Tenancy | None) -> None:
        failed = mistaken = False
        began = trio.current_time()
        try:
            if former is not None:
                await former.over.wait()
            began = trio.current_time()
            try:
                await tenancy.actor.run()
            except* NotFound as refusal:
                # Whoever asked for what is not there (any more) is told so in the answer.
                failed = mistaken = True
                log.debug("attempt_left", attempt=attempt_id, why=_why(refusal))
            except* Unavailable as refusal:
                # A full disk, say: nothing is wrong with the attempt, and it only has to wait.
                failed = True
                log.warning("attempt_left", attempt=attempt_id, why=_why(refusal))
            except* AnyondError as refusal:
                failed = mistaken = True
                log.warning("attempt_left", attempt=attempt_id, why=_why(refusal))
            except* Exception:
                failed = mistaken = True
                log.exception("attempt_crashed", attempt=attempt_id)
            if failed:
                tenancy.actor.recovered.set()
                lived = trio.current_time() - began
                await self._count(attempt_id, lived, mistaken=mistaken)
        finally:
            tenancy.actor.recovered.set()
            tenancy.over.set()
            if self._tenancies.get(attempt_id) is tenancy:
                del self._tenancies[attempt_id]
        if failed:
            await self._wake_again(attempt_id)

    async def _count(self, attempt_id: str, lived: float, *, mistaken: bool) -> None:
        """An actor has failed; if that happens again and again, all that runs there is ended.

        Args:
            mistaken: whether it would fail as well if disk and database did all that they should.
        """
        former = self._failures.get(attempt_id, 0) if lived <= INTENSITY.within else 0
        self._failures[attempt_id] = former + 1
        if mistaken and former >= INTENSITY.restarts:
            log.error("attempt_keeps_failing", attempt=attempt_id, times=former + 1)
            why = "Anyon could not look after this run, again and again. Its log has the details."
            try:
                await end_all(self._resources, attempt_id, why)
            except Exception:  # its supervisor must live on
                # The row is looked after again, at the latest by the hourly check.
                log.exception("not_given_up", attempt=attempt_id)

    async def _wake_again(self, attempt_id: str) -> None:
        """Start an actor for it again soon, and later if need be, since its processes go on."""
        times = self._failures.get(attempt_id, 1)
        if await self._runs_something(attempt_id):
            await trio.sleep(min(FIRST_BACKOFF_S * 2 ** (times - 1), LONGEST_BACKOFF_S))
        while (decision := self._inactive.get(attempt_id)) is not None:
            await decision.wait()
        if await self._runs_something(attempt_id):
            self._actor_of(attempt_id)
        else:
            self._failures.pop(attempt_id, None)

    async def _runs_something(self, attempt_id: str) -> bool:
        try:
            rows = await self._resources.store.read(lambda r: processes.running_of(r, attempt_id))
        except AnyondError as error:
            log.warning("attempt_not_read", attempt=attempt_id, why=str(error))
            return True  # as far as anybody knows
        return bool(rows)


def _why(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
