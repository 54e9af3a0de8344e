"""The chapter Tasks: what a person wants to have done."""

from __future__ import annotations

from anyond.api import tasks as api
from anyond.api.declaration.params import Nothing, OfTask
from anyond.http.answer.envelope import Known
from anyond.http.backend import Backend
from anyond.http.dispatch import Page, route
from anyond.http.routes.task_pages import page
from anyond.http.streaming import records
from anyond.http.streaming.encoders import Record, Snapshot, WireFormat
from anyond.http.views import Streamed
from anyond.model.http.bodies import CreateAndStart, NewTask, TaskPatch
from anyond.model.http.frames import by_change
from anyond.model.ids import new_id, now
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Change, TaskWithAttemptStatus
from anyond.store.board import projects, tasks

_KINDS = frozenset(by_change(api.STREAM_TASKS.frames))


async def list_tasks(
    backend: Backend, params: api.TasksOfProject
) -> Known | Page[list[TaskWithAttemptStatus]]:
    limit = api.MOST_TASKS if params.limit is None and params.cursor else params.limit
    if limit is not None:
        return await backend.store.read(lambda r: page(r, params, limit))
    return (await backend.task_lists.of(params.project_id)).known


async def get_task(backend: Backend, params: OfTask) -> TaskWithAttemptStatus:
    return await backend.store.read(lambda r: tasks.with_status(r, params.task_id))


async def create_task(backend: Backend, _: Nothing, new: NewTask) -> TaskWithAttemptStatus:
    return await backend.store.write(lambda tx: tasks.insert(tx, new, new_id(), now()))


async def create_and_start(
    backend: Backend, _: Nothing, body: CreateAndStart
) -> TaskWithAttemptStatus:
    return await backend.services.attempts.create_and_start(
        body.task, body.executor_profile_id, body.base_branch
    )


async def update_task(backend: Backend, params: OfTask, patch: TaskPatch) -> TaskWithAttemptStatus:
    return await backend.store.write(lambda tx: tasks.patch(tx, params.task_id, patch, now()))


async def delete_task(backend: Backend, params: OfTask) -> None:
    await backend.services.attempts.delete_task(params.task_id)


async def stream_tasks(
    backend: Backend, params: api.FollowedTasks, wire_format: WireFormat
) -> Streamed[Record]:
    store, project_id = backend.store, params.project_id
    await store.read(lambda r: projects.get(r, project_id))

    def belongs(change: Change) -> bool:
        return change.project_id == project_id and change.kind in _KINDS

    async def snapshot() -> Snapshot:
        position = store.changes.end
        try:
            listed = await backend.task_lists.of(project_id)
        except NotFound:  # by now; then it has no tasks
            return Snapshot(position, b"[]")
        return Snapshot(listed.position, listed.rows)

    return Streamed(records.follow(store, snapshot, belongs, params.after), wire_format.tasks())


ROUTES = (
    route(api.LIST_TASKS, list_tasks),
    route(api.GET_TASK, get_task),
    route(api.CREATE_TASK, create_task),
    route(api.CREATE_AND_START_TASK, create_and_start),
    route(api.UPDATE_TASK, update_task),
    route(api.DELETE_TASK, delete_task),
    route(api.STREAM_TASKS, stream_tasks),
)
