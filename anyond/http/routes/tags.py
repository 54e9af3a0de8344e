"""The chapter Tags: texts with a name."""

from __future__ import annotations

from anyond.api import tags as api
from anyond.api.declaration.params import Nothing
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.bodies import NewTag, TagPatch
from anyond.model.ids import new_id, now
from anyond.model.rows import Tag
from anyond.store.board import tags


async def list_tags(backend: Backend, params: api.TagsNamed) -> list[Tag]:
    return await backend.store.read(lambda r: tags.fetch_all(r, params.search))


async def get_tag(backend: Backend, params: api.OfTag) -> Tag:
    return await backend.store.read(lambda r: tags.get(r, params.tag_id))


async def create_tag(backend: Backend, _: Nothing, new: NewTag) -> Tag:
    return await backend.store.write(lambda tx: tags.insert(tx, new, new_id(), now()))


async def update_tag(backend: Backend, params: api.OfTag, patch: TagPatch) -> Tag:
    return await backend.store.write(lambda tx: tags.patch(tx, params.tag_id, patch, now()))


async def delete_tag(backend: Backend, params: api.OfTag) -> None:
    await backend.store.write(lambda tx: tags.delete(tx, params.tag_id))


ROUTES = (
    route(api.LIST_TAGS, list_tags),
    route(api.GET_TAG, get_tag),
    route(api.CREATE_TAG, create_tag),
    route(api.UPDATE_TAG, update_tag),
    route(api.DELETE_TAG, delete_tag),
)
