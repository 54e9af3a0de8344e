"""Requests about tasks as the board has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from anyond.model.errors import AnyondError
from anyond.model.http.board import (
    Bulk,
    BulkOutcome,
    BulkRefusal,
    PlacingMany,
    StartingMany,
)
from anyond.model.http.bodies import NewAttempt
from anyond.model.ids import now
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.services.attempts import AttemptRequests
from anyond.store.board import placements, tasks
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes

STATUS_OF = Callable[[AnyondError], int]
_AT_ONCE = 4
"""So many tasks are stopped or started at the same time."""


class BoardRequests:
    """The requests of clients that concern many tasks."""

    def __init__(self, store: Store, attempts: AttemptRequests) -> None:
        self._store = store
        self._attempts = attempts

    async def change_many(self, bulk: Bulk, status_of: STATUS_OF) -> list[BulkOutcome]:
        """Do one action to many tasks, whatever is refused for some of them.

        Args:
            status_of: the status that a refusal would be answered with alone.

        Raises:
            Invalid: there is not one action.

        A cancelled call has done it to some of them.
        """
        work = self._action(bulk)
        task_ids = list(dict.fromkeys(bulk.task_ids))
        outcomes: dict[str, BulkOutcome] = {}
        limiter = trio.CapacityLimiter(_AT_ONCE)

        async def act(task_id: str) -> None:
            async with limiter:
                outcomes[task_id] = await self._act(task_id, work, status_of)

        async with trio.open_nursery() as nursery:
            for task_id in task_ids:
                nursery.start_soon(act, task_id)
        return [outcomes[task_id] for task_id in task_ids]

    async def _act(
        self,
        task_id: str,
        work: Callable[[str], Awaitable[Sequence[str]]],
        status_of: STATUS_OF,
    ) -> BulkOutcome:
        touched: Sequence[str] = ()
        refusal = None
        try:
            touched = await work(task_id)
        except AnyondError as error:
            started = (error.data or {}).get("task_attempt_id")
            touched = [started] if isinstance(started, str) else []
            refusal = BulkRefusal(status=status_of(error), type=error.type, message=str(error))
        found = await self._store.read(lambda r: placements.fetch_named(r, [task_id]))
        return BulkOutcome(
            task_id=task_id,
            task=found[0] if found else None,
            attempt_ids=list(touched),
            refusal=refusal,
        )

    def _action(self, bulk: Bulk) -> Callable[[str], Awaitable[Sequence[str]]]:
        if [bulk.place is not None, bulk.start is not None, bool(bulk.stop)].count(True) != 1:
            raise Invalid("place", "must be the only action, or `start` or `stop` in its place")
        if bulk.place is not None:
            return self._placer(bulk.place)
        return self._stop if bulk.start is None else self._starter(bulk.start)

    def _placer(self, action: PlacingMany) -> Callable[[str], Awaitable[Sequence[str]]]:
        async def place(task_id: str) -> Sequence[str]:
            await self._store.write(
                lambda tx: placements.place_one_of_many(tx, task_id, action, now())
            )
            return ()

        return place

    def _starter(self, action: StartingMany) -> Callable[[str], Awaitable[Sequence[str]]]:
        async def start(task_id: str) -> Sequence[str]:
            new = NewAttempt(
                task_id=task_id,
                executor_profile_id=action.executor_profile_id,
                base_branch=action.base_branch,
            )
            return [(await self._attempts.create(new)).id]

        return start

    async def _stop(self, task_id: str) -> Sequence[str]:
        def at_work(reader: Reader) -> list[str]:
            tasks.get(reader, task_id)
            rows = processes.running_of_task(reader, task_id)
            return list(dict.fromkeys(row.task_attempt_id for row in rows))

        stopped = []
        for attempt_id in await self._store.read(at_work):
            try:
                await self._attempts.stop(attempt_id)
            except NotFound:  # deleted in between, and so it does not run
                continue
            stopped.append(attempt_id)
        return stopped
