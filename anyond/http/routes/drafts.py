"""The chapter Drafts: what a person is still writing to an agent, and what waits to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET
from quart import Blueprint, Response, request, websocket

from anyond.http import decode, records, streams
from anyond.http.decode import line, prose
from anyond.http.encoders import flavour
from anyond.http.envelope import answer, cached
from anyond.http.query import identities, identity, identity_in, position_in
from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.errors import Invalid
from anyond.store import projects

if TYPE_CHECKING:
    from anyond.actors.services import Services

IMAGES = 100
"""The most images of one message."""


def routes(services: Services) -> Blueprint:
    """`/api/task-attempts/<id>/draft` and `/api/drafts`."""
    chapter = Blueprint("drafts", __name__, url_prefix="/api")
    store = services.store

    @chapter.get("/task-attempts/<key>/draft")
    async def draft(key: str) -> Response:
        return cached(await services.drafts.get(_id(key), _type()))

    @chapter.put("/task-attempts/<key>/draft")
    async def save(key: str) -> Response:
        id, type_ = _id(key), _type()
        patch = _checked(await decode.body(DraftPatch))
        return answer(await services.drafts.save(id, type_, patch))

    @chapter.delete("/task-attempts/<key>/draft")
    async def delete(key: str) -> Response:
        await services.drafts.delete(_id(key), _type())
        return answer(None)

    @chapter.post("/task-attempts/<key>/draft/queue")
    async def queue(key: str) -> Response:
        id = _id(key)
        if _type() is not DraftType.FOLLOW_UP:
            raise Invalid("type", "must be follow_up; a retry cannot be queued")
        wish = await decode.optional_body(QueueWish) or QueueWish()
        return answer(await services.drafts.queue(id, wish))

    @chapter.websocket("/drafts/stream/ws")
    async def stream() -> None:
        project_id = identity_in(websocket.args, "project_id")
        after = position_in(websocket.args)
        snapshot, kinds, encoder = flavour(websocket.args).drafts
        await store.read(lambda r: projects.get(r, project_id))
        source = records.follow(
            store,
            records.reading(store, lambda r: snapshot(r, project_id)),
            lambda change: change.kind in kinds and change.project_id == project_id,
            after,
        )
        await streams.send(source, encoder(), services.closing)

    return chapter


def _id(key: str) -> str:
    return identity(key, "task_attempt_id")


def _type() -> DraftType:
    text = request.args.get("type") or DraftType.FOLLOW_UP
    try:
        return DraftType(text)
    except ValueError:
        raise Invalid("type", "must be follow_up or retry") from None


def _checked(patch: DraftPatch) -> DraftPatch:
    if patch.prompt is not UNSET:
        prose(patch.prompt, "prompt")
    if patch.variant is not UNSET and patch.variant:
        line(patch.variant, "variant")
    if patch.image_ids is not UNSET and patch.image_ids:
        if len(patch.image_ids) > IMAGES:
            raise Invalid("image_ids", f"must not name more than {IMAGES} images")
        ids = identities(patch.image_ids, "image_ids")
        patch = msgspec.structs.replace(patch, image_ids=ids)
    if patch.retry_process_id is not UNSET and patch.retry_process_id is not None:
        process_id = identity(patch.retry_process_id, "retry_process_id")
        return msgspec.structs.replace(patch, retry_process_id=process_id)
    return patch
