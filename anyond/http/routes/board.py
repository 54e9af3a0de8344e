"""The chapter Board: tasks in the order and with the marks that a person has given them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyond.api import board as api
from anyond.api.declaration.params import Nothing, OfAttempt, OfTask
from anyond.http.answer.envelope import encode
from anyond.http.answer.refusal import STATUS
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming import records
from anyond.http.streaming.encoders import Record, Records, Snapshot, WireFormat
from anyond.http.views import Streamed
from anyond.model.http.board import (
    Archiving,
    AttemptPlace,
    BoardTask,
    Bulk,
    BulkOutcome,
    Placing,
    Seeing,
    Seen,
)
from anyond.model.ids import now
from anyond.model.rows import Change
from anyond.store.board import placements, projects, seen
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Reader

_OF_TASKS = frozenset({"task_created", "task_updated", "task_deleted", "placement_updated"})
_OF_ATTEMPTS = frozenset(
    {"approval_requested", "approval_resolved", "process_completed", "seen_updated"}
)


async def list_tasks(backend: Backend, params: api.TasksOfBoard) -> list[BoardTask]:
    def found(reader: Reader) -> list[BoardTask]:
        if params.project_id is not None:
            projects.get(reader, params.project_id)
        return placements.fetch_all(reader, params.project_id, archived=params.archived)

    return await backend.store.read(found)


async def get_task(backend: Backend, params: OfTask) -> BoardTask:
    return await backend.store.read(lambda r: placements.get(r, params.task_id))


async def place_task(backend: Backend, params: OfTask, body: Placing) -> BoardTask:
    return await backend.store.write(lambda tx: placements.place(tx, params.task_id, body, now()))


async def change_many(backend: Backend, _: Nothing, body: Bulk) -> list[BulkOutcome]:
    return await backend.services.board.change_many(body, lambda error: STATUS[error.kind])


async def archive_attempt(backend: Backend, params: OfAttempt, body: Archiving) -> AttemptPlace:
    return await backend.store.write(
        lambda tx: placements.archive_attempt(
            tx, params.task_attempt_id, body.archived is not False, now()
        )
    )


async def get_seen(backend: Backend, params: OfAttempt) -> Seen:
    return await backend.store.read(lambda r: seen.get(r, params.task_attempt_id))


async def mark_seen(backend: Backend, params: OfAttempt, body: Seeing) -> Seen:
    return await backend.store.write(lambda tx: seen.see(tx, params.task_attempt_id, body))


async def stream_board(
    backend: Backend, params: api.FollowedBoard, _: WireFormat
) -> Streamed[Record]:
    store, project_id = backend.store, params.project_id
    if project_id is not None:
        await store.read(lambda r: projects.get(r, project_id))

    def belongs(change: Change) -> bool:
        if project_id is not None and change.project_id != project_id:
            return False
        return change.kind in _OF_TASKS or change.kind in _OF_ATTEMPTS

    batches = records.follow(
        store,
        records.reading(store, lambda r: placements.fetch_all(r, project_id)),
        belongs,
        params.after,
    )
    return Streamed(_read_anew(store, batches), Records(api.STREAM_BOARD))


async def _read_anew(
    store: Store, batches: AsyncIterator[list[Record]]
) -> AsyncIterator[list[Record]]:
    """Tell each changed task as the board has it, which changes themselves do not say."""
    async for batch in batches:
        sent: list[Record] = []
        last: dict[str, Change] = {}
        by_attempt: dict[str, Change] = {}
        for item in batch:
            if isinstance(item, Snapshot) or item.kind == "task_deleted":
                sent.append(item)
            elif item.kind in _OF_TASKS:
                last[item.key or ""] = item
            else:
                by_attempt[item.attempt_id or ""] = item

        def found(
            reader: Reader, last: dict[str, Change] = last, by: dict[str, Change] = by_attempt
        ) -> list[BoardTask]:
            for attempt_id, task_id in placements.of_attempts(reader, by).items():
                known = last.get(task_id)
                if known is None or known.position < by[attempt_id].position:
                    last[task_id] = by[attempt_id]
            return placements.fetch_named(reader, last)

        if last or by_attempt:
            rows = await store.read(found)
            sent += [
                Change(position=last[row.id].position, kind="board_task_updated", data=encode(row))
                for row in rows
            ]
        sent.sort(key=lambda item: item.seq if isinstance(item, Snapshot) else item.position)
        if sent:
            yield sent


ROUTES = (
    route(api.LIST_BOARD_TASKS, list_tasks),
    route(api.GET_BOARD_TASK, get_task),
    route(api.PLACE_TASK, place_task),
    route(api.CHANGE_MANY_TASKS, change_many),
    route(api.ARCHIVE_ATTEMPT, archive_attempt),
    route(api.GET_SEEN, get_seen),
    route(api.MARK_SEEN, mark_seen),
    route(api.STREAM_BOARD, stream_board),
)
