"""The chapter Tags: texts that stand behind a name in prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Blueprint, Response, request

from anyond.http import decode
from anyond.http.decode import line, prose
from anyond.http.envelope import answer, cached
from anyond.http.query import identity
from anyond.model.bodies import NewTag, TagPatch
from anyond.model.ids import new_id, now
from anyond.store import tags

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`/api/tags` and below."""
    chapter = Blueprint("tags", __name__, url_prefix="/api/tags")
    store = services.store

    @chapter.get("")
    async def listed() -> Response:
        search = request.args.get("search")
        return cached(await store.read(lambda r: tags.all(r, search)))

    @chapter.get("/<key>")
    async def one(key: str) -> Response:
        id = identity(key, "tag_id")
        return cached(await store.read(lambda r: tags.get(r, id)))

    @chapter.post("")
    async def create() -> Response:
        new = await decode.body(NewTag)
        line(new.tag_name, "tag_name")
        prose(new.content, "content")
        return answer(await store.write(lambda tx: tags.insert(tx, new, new_id(), now())))

    @chapter.put("/<key>")
    async def update(key: str) -> Response:
        id = identity(key, "tag_id")
        patch = await decode.body(TagPatch)
        if patch.tag_name is not None:
            line(patch.tag_name, "tag_name")
        prose(patch.content, "content")
        return answer(await store.write(lambda tx: tags.patch(tx, id, patch, now())))

    @chapter.delete("/<key>")
    async def delete(key: str) -> Response:
        id = identity(key, "tag_id")
        await store.write(lambda tx: tags.delete(tx, id))
        return answer(None)

    return chapter
