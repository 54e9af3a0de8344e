"""The chapter Description: the API described, for programs and for people."""

from __future__ import annotations

from anyond.api import description as api
from anyond.api.declaration.params import Nothing
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.views import FileAnswer

_HEADERS = {"Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}


async def get_document(backend: Backend, _: Nothing) -> FileAnswer:
    found = await backend.described.get()
    return FileAnswer(found.document, "application/json", found.etag, _HEADERS)


async def browse(backend: Backend, _: Nothing) -> FileAnswer:
    found = await backend.described.get()
    headers = {**_HEADERS, "Content-Security-Policy": found.policy}
    return FileAnswer(found.page, "text/html; charset=utf-8", found.etag, headers)


ROUTES = (
    route(api.GET_THIS_DESCRIPTION, get_document),
    route(api.BROWSE_THIS_DESCRIPTION, browse),
)
