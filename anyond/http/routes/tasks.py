"""The chapter Tasks: what a person wants to have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct
from quart import Blueprint, Response, request, websocket

from anyond.http import decode, records, streams
from anyond.http.decode import line, prose
from anyond.http.encoders import Snapshot, flavour
from anyond.http.envelope import answer, cached, shown
from anyond.http.query import identities, identity, identity_in, optional_identity, position_in
from anyond.http.task_lists import TaskLists
from anyond.model.bodies import NewTask, TaskPatch
from anyond.model.errors import NotFound
from anyond.model.ids import new_id, now
from anyond.model.rows import Change
from anyond.model.settings import ExecutorProfileId
from anyond.store import projects, tasks

if TYPE_CHECKING:
    from anyond.actors.services import Services

_KINDS = frozenset({"task_created", "task_updated", "task_deleted"})

Body = TypeVar("Body", NewTask, TaskPatch)


class CreateAndStart(Struct, frozen=True, kw_only=True):
    """The body of create-and-start."""

    task: NewTask
    executor_profile_id: ExecutorProfileId
    base_branch: str


def routes(services: Services) -> Blueprint:
    """`/api/tasks` and below."""
    chapter = Blueprint("tasks", __name__, url_prefix="/api/tasks")
    store = services.store

    boards = TaskLists(store)

    @chapter.get("")
    async def of_project() -> Response:
        project_id = identity_in(request.args, "project_id")
        return shown((await boards.of(project_id)).known)

    @chapter.get("/<key>")
    async def one(key: str) -> Response:
        id = identity(key, "task_id")
        return cached(await store.read(lambda r: tasks.with_status(r, id)))

    @chapter.post("")
    async def create() -> Response:
        new = _new(await decode.body(NewTask), "")
        return answer(await store.write(lambda tx: tasks.insert(tx, new, new_id(), now())))

    @chapter.post("/create-and-start")
    async def create_and_start() -> Response:
        wanted = await decode.body(CreateAndStart)
        new = _new(wanted.task, "task.")
        branch = line(wanted.base_branch, "base_branch")
        return answer(
            await services.attempts.create_and_start(new, wanted.executor_profile_id, branch)
        )

    @chapter.put("/<key>")
    async def update(key: str) -> Response:
        id = identity(key, "task_id")
        patch = await decode.body(TaskPatch)
        if patch.title is not None:
            line(patch.title, "title")
        patch = _checked(patch, "")
        return answer(await store.write(lambda tx: tasks.patch(tx, id, patch, now())))

    @chapter.delete("/<key>")
    async def delete(key: str) -> Response:
        await services.attempts.delete_task(identity(key, "task_id"))
        return answer(None, 202)

    @chapter.websocket("/stream/ws")
    async def stream() -> None:
        project_id = identity_in(websocket.args, "project_id")
        after = position_in(websocket.args)
        encoder = flavour(websocket.args).tasks()
        await store.read(lambda r: projects.get(r, project_id))

        def wanted(change: Change) -> bool:
            return change.project_id == project_id and change.kind in _KINDS

        async def snapshot() -> Snapshot:
            position = store.changes.end
            try:
                listed = await boards.of(project_id)
            except NotFound:  # by now; then it has no tasks
                return Snapshot(position, b"[]")
            return Snapshot(listed.position, listed.rows)

        source = records.follow(store, snapshot, wanted, after)
        await streams.send(source, encoder, services.closing)

    return chapter


def _new(new: NewTask, where: str) -> NewTask:
    line(new.title, f"{where}title")
    return msgspec.structs.replace(
        _checked(new, where), project_id=identity(new.project_id, f"{where}project_id")
    )


def _checked(body: Body, where: str) -> Body:
    """The parts that creating and changing a task have in common."""
    prose(body.description, f"{where}description")
    parent = body.parent_task_attempt or None
    return msgspec.structs.replace(
        body,
        image_ids=identities(body.image_ids, f"{where}image_ids"),
        parent_task_attempt=optional_identity(parent, f"{where}parent_task_attempt")
        or body.parent_task_attempt,
    )
