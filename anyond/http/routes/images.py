"""The chapter Images: pictures that tasks and messages show to agents."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import trio

from anyond.api import images as api
from anyond.api.declaration.params import Nothing, OfTask
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.views import FileAnswer, Form
from anyond.model.rows import Image

if TYPE_CHECKING:
    from anyond.services.services import Services

_FIELD = "image"
_SVG = "image/svg+xml"


async def upload(backend: Backend, _: Nothing, form: Form) -> Image:
    return await received(backend.services, form, None)


async def upload_to_task(backend: Backend, params: OfTask, form: Form) -> Image:
    return await received(backend.services, form, params.task_id)


async def list_of_task(backend: Backend, params: OfTask) -> list[Image]:
    return await backend.services.images.of_task(params.task_id)


async def get_file(backend: Backend, params: api.OfImage) -> FileAnswer:
    return as_file(*await backend.services.images.file_of(params.image_id))


async def delete(backend: Backend, params: api.DeleteImage) -> None:
    await backend.services.images.delete(params.image_id, force=params.force)


async def received(
    services: Services, form: Form, task_id: str | None, also: Collection[str] = ()
) -> Image:
    """Store the picture in a form.

    Args:
        task_id: the task that it belongs to, if any.
        also: names besides `image` that the field of the form may have.
    """
    images = services.images
    async with images.receive(task_id) as incoming:

        async def write(data: bytes) -> None:
            await trio.to_thread.run_sync(incoming.write, data)

        name = await form.save(_FIELD, write, also)
        return await images.keep(incoming, name, task_id)


def as_file(image: Image, path: Path) -> FileAnswer:
    """The file of an image, as an answer."""
    etag = image.hash.partition(":")[2]
    return FileAnswer(path, image.mime_type, etag, _headers(image))


def _headers(image: Image) -> dict[str, str]:
    """Return headers by which a browser may show it, but run nothing that is written in it.

    An SVG can hold scripts. As the source of an <img> it is harmless, as a page of its own it is
    a page of this daemon; so it is only ever downloaded.
    """
    kind = "attachment" if image.mime_type == _SVG else "inline"
    return {
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": _disposition(kind, image.original_name),
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Cross-Origin-Resource-Policy": "same-site",
    }


def _disposition(kind: str, name: str) -> str:
    """The header Content-Disposition for a file that a person knows as `name`."""
    plain = "".join(c if c.isascii() and c not in '"\\' else "_" for c in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


ROUTES = (
    route(api.UPLOAD_IMAGE, upload),
    route(api.UPLOAD_TASK_IMAGE, upload_to_task),
    route(api.GET_TASK_IMAGES, list_of_task),
    route(api.GET_IMAGE_FILE, get_file),
    route(api.DELETE_IMAGE, delete),
)
