"""The chapter Drafts: what a person is still writing to an agent, and what waits to be sent."""

from __future__ import annotations

from anyond.api import drafts as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming import records
from anyond.http.streaming.encoders import Record, WireFormat
from anyond.http.views import Streamed
from anyond.model.drafts import Draft, DraftPatch, DraftType, QueueWish
from anyond.model.refusals.requests import Invalid
from anyond.store.board import projects

IMAGES = 100
"""The most images of one message."""


async def get_draft(backend: Backend, params: api.OfDraft) -> Draft:
    return await backend.services.drafts.get(params.task_attempt_id, params.type)


async def save_draft(backend: Backend, params: api.OfDraft, patch: DraftPatch) -> Draft:
    if patch.image_ids and len(patch.image_ids) > IMAGES:
        raise Invalid("image_ids", f"must not name more than {IMAGES} images")
    return await backend.services.drafts.save(params.task_attempt_id, params.type, patch)


async def delete_draft(backend: Backend, params: api.OfDraft) -> None:
    await backend.services.drafts.delete(params.task_attempt_id, params.type)


async def queue_draft(backend: Backend, params: api.OfDraft, body: QueueWish) -> Draft:
    if params.type is not DraftType.FOLLOW_UP:
        raise Invalid("type", "must be follow_up; a retry cannot be queued")
    return await backend.services.drafts.queue(params.task_attempt_id, body)


async def stream_drafts(
    backend: Backend, params: api.FollowedDrafts, wire_format: WireFormat
) -> Streamed[Record]:
    store, project_id = backend.store, params.project_id
    snapshot, kinds, encoder = wire_format.drafts
    await store.read(lambda r: projects.get(r, project_id))
    source = records.follow(
        store,
        records.reading(store, lambda r: snapshot(r, project_id)),
        lambda change: change.kind in kinds and change.project_id == project_id,
        params.after,
    )
    return Streamed(source, encoder())


ROUTES = (
    route(api.GET_DRAFT, get_draft),
    route(api.SAVE_DRAFT, save_draft),
    route(api.QUEUE_DRAFT_FOR_AUTO_SEND, queue_draft),
    route(api.DELETE_DRAFT, delete_draft),
    route(api.STREAM_DRAFTS, stream_drafts),
)
