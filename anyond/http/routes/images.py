"""The chapter Images: pictures that tasks and messages show to agents."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from quart import Blueprint, Response, request

from anyond.http import multipart
from anyond.http.download import disposition, download
from anyond.http.envelope import answer, cached
from anyond.http.query import flag_in, identity
from anyond.model.rows import Image

if TYPE_CHECKING:
    from anyond.actors.services import Services

_FIELD = "image"
_SVG = "image/svg+xml"


def routes(services: Services) -> Blueprint:
    """`/api/images` and below."""
    chapter = Blueprint("images", __name__, url_prefix="/api/images")

    @chapter.post("/upload")
    async def upload() -> Response:
        return await received(services, None)

    @chapter.post("/task/<key>/upload")
    async def upload_to_task(key: str) -> Response:
        return await received(services, identity(key, "task_id"))

    @chapter.get("/task/<key>")
    async def of_task(key: str) -> Response:
        return cached(await services.images.of_task(identity(key, "task_id")))

    @chapter.get("/<key>/file")
    async def file(key: str) -> Response:
        return await sent(*await services.images.file_of(identity(key, "image_id")))

    @chapter.delete("/<key>")
    async def delete(key: str) -> Response:
        id = identity(key, "image_id")
        await services.images.delete(id, force=flag_in(request.args, "force"))
        return answer(None)

    return chapter


async def received(services: Services, task_id: str | None, also: Collection[str] = ()) -> Response:
    """Store the picture in the form of the current request.

    Args:
        task_id: the task that it belongs to, if any.
        also: names besides `image` that the field of the form may have.
    """
    images = services.images
    async with images.receive(task_id) as incoming:

        async def write(data: bytes) -> None:
            await trio.to_thread.run_sync(incoming.write, data)

        name = await multipart.save(_FIELD, write, also)
        return answer(await images.keep(incoming, name, task_id))


async def sent(image: Image, path: Path) -> Response:
    """The file of an image, as an answer."""
    etag = image.hash.partition(":")[2]
    return await download(path, image.mime_type, etag, _headers(image))


def _headers(image: Image) -> dict[str, str]:
    """What a browser may do with it: show it, but nothing that is written in it.

    An SVG can hold scripts. As the source of an <img> it is harmless, as a page of its own it is
    a page of this daemon; so it is only ever downloaded.
    """
    kind = "attachment" if image.mime_type == _SVG else "inline"
    return {
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": disposition(kind, image.original_name),
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Cross-Origin-Resource-Policy": "same-site",
    }
