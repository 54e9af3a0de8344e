"""The chapter Task Attempts: agents at work on a task, each in a worktree of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from quart import Blueprint, Response, request, websocket

from anyond.http import decode, streams
from anyond.http.decode import line, prose
from anyond.http.encoders import flavour
from anyond.http.envelope import answer, cached
from anyond.http.query import (
    flag_in,
    identities,
    identity,
    optional_identity,
    optional_identity_in,
    position_in,
)
from anyond.model.bodies import FollowUp, MergeStrategy, NewAttempt
from anyond.model.errors import Invalid
from anyond.model.rows import TaskAttempt
from anyond.store import attempts, tasks
from anyond.store.transaction import Reader

if TYPE_CHECKING:
    from anyond.actors.services import Services


class Merging(Struct, frozen=True, kw_only=True):
    """The body of a merge, which may be left out."""

    strategy: MergeStrategy | None = None


def routes(services: Services) -> Blueprint:
    """`/api/task-attempts` and below."""
    chapter = Blueprint("attempts", __name__, url_prefix="/api/task-attempts")
    store = services.store

    @chapter.get("")
    async def all_attempts() -> Response:
        task_id = optional_identity_in(request.args, "task_id")

        def found(reader: Reader) -> list[TaskAttempt]:
            if task_id is not None:
                tasks.get(reader, task_id)
            return attempts.all(reader, task_id)

        return cached(await store.read(found))

    @chapter.get("/<key>")
    async def one(key: str) -> Response:
        id = _id(key)
        return cached(await store.read(lambda r: attempts.get(r, id)))

    @chapter.post("")
    async def create() -> Response:
        new = await decode.body(NewAttempt)
        line(new.base_branch, "base_branch")
        new = msgspec.structs.replace(new, task_id=identity(new.task_id, "task_id"))
        return answer(await services.attempts.create(new))

    @chapter.post("/<key>/follow-up")
    async def follow_up(key: str) -> Response:
        id = _id(key)
        wanted = _checked(await decode.body(FollowUp))
        return answer(await services.attempts.follow_up(id, wanted))

    @chapter.get("/<key>/branch-status")
    async def branch_status(key: str) -> Response:
        return cached(await services.attempts.branch_status(_id(key)))

    @chapter.post("/<key>/merge")
    async def merge(key: str) -> Response:
        id = _id(key)
        wanted = await decode.optional_body(Merging)
        strategy = wanted.strategy if wanted is not None else None
        await services.attempts.merge(id, strategy or MergeStrategy.MERGE)
        return answer(None)

    @chapter.post("/<key>/stop")
    async def stop(key: str) -> Response:
        await services.attempts.stop(_id(key))
        return answer(None)

    @chapter.websocket("/<key>/diff/ws")
    async def diff(key: str) -> None:
        id = _id(key)
        stats_only = flag_in(websocket.args, "stats_only")
        after = position_in(websocket.args)
        wanted = flavour(websocket.args)
        await store.read(lambda r: attempts.get(r, id))
        source = services.diffs.follow(id, stats_only, after, landed=wanted.lands)
        await streams.send(source, wanted.diff(), services.closing)

    return chapter


def _id(key: str) -> str:
    return identity(key, "task_attempt_id")


def _checked(wanted: FollowUp) -> FollowUp:
    if not wanted.prompt.strip():
        raise Invalid("prompt", "must not be blank")
    prose(wanted.prompt, "prompt")
    image_ids = identities(wanted.image_ids, "image_ids")
    retried = optional_identity(wanted.retry_process_id, "retry_process_id")
    return msgspec.structs.replace(wanted, retry_process_id=retried, image_ids=image_ids)
