"""The chapter Description: the API described, for programs and for people."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import trio
from quart import Blueprint, Response

from anyond.http.download import download

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(_: Services) -> Blueprint:
    """`GET /openapi.json`, which is bare, and `GET /docs`, a page."""
    chapter = Blueprint("description", __name__)
    made: list[_Described] = []
    making = trio.Lock()

    async def described() -> _Described:
        async with making:
            if not made:
                made.append(await trio.to_thread.run_sync(_describe))
        return made[0]

    @chapter.get("/openapi.json")
    async def document() -> Response:
        found = await described()
        return await download(found.document, "application/json", found.etag, _HEADERS)

    @chapter.get("/docs")
    async def page() -> Response:
        found = await described()
        headers = {**_HEADERS, "Content-Security-Policy": found.policy}
        kind = "text/html; charset=utf-8"
        return await download(found.page, kind, found.etag, headers)

    return chapter


_HEADERS = {"Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}


class _Described(NamedTuple):
    document: bytes
    page: bytes
    policy: str
    etag: str


def _describe() -> _Described:
    # Only now, since all of this costs time and memory that a daemon without readers should spare.
    from anyond.http.openapi.document import document
    from anyond.http.openapi.page import page, policy

    found = document()
    raw, html = msgspec.json.encode(found), page(found).encode()
    etag = blake2b(raw + html, digest_size=16).hexdigest()
    return _Described(raw, html, policy(), etag)
