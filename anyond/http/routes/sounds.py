"""The chapter Sounds: what a client can play when an attempt has finished."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import trio
from quart import Blueprint, Response, request
from werkzeug.http import parse_range_header

from anyond.files import sounds
from anyond.http.envelope import JSON, failure
from anyond.model.errors import NotFound
from anyond.model.settings import SoundFile

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(_: Services) -> Blueprint:
    """`GET /api/sounds/<sound>`."""
    chapter = Blueprint("sounds", __name__)

    @chapter.get("/api/sounds/<name>")
    async def sound(name: str) -> Response:
        try:
            wanted = SoundFile(name)
        except ValueError:
            raise NotFound("sound", name) from None
        return _sent(await trio.to_thread.run_sync(sounds.wav, wanted))

    return chapter


def _sent(content: bytes) -> Response:
    """The whole of `content`, or the part that the client wants, or that it has it already."""
    etag = blake2b(content, digest_size=16).hexdigest()
    headers = {
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400",
        "X-Content-Type-Options": "nosniff",
    }
    if request.if_none_match.contains_weak(etag):
        known = Response(b"", 304, headers)
        del known.headers["Content-Length"], known.headers["Content-Type"]  # of no body
        return known
    asked = request.headers.get("Range")
    if request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        asked = None  # a part of something else would not fit
    wanted = parse_range_header(asked)
    # Several parts at once are worth no trouble; the whole is a right answer, too.
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return Response(content, 200, headers, content_type="audio/wav")
    part = wanted.range_for_length(len(content))
    if part is None:
        headers = {"Content-Range": f"bytes */{len(content)}"}
        message = f"Range: the sound has {len(content)} bytes"
        return Response(failure(message), 416, headers, content_type=JSON)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], 206, headers, content_type="audio/wav")
