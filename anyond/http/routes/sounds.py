"""The chapter Sounds: what a client can play when an attempt has finished."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import trio
from quart import Blueprint, Response

from anyond.files import sounds
from anyond.http.download import download
from anyond.model.errors import NotFound
from anyond.model.settings import SoundFile

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(_: Services) -> Blueprint:
    """`GET /api/sounds/<sound>`."""
    chapter = Blueprint("sounds", __name__)

    @chapter.get("/api/sounds/<key>")
    async def sound(key: str) -> Response:
        try:
            wanted = SoundFile(key)
        except ValueError:
            raise NotFound("sound", key) from None
        content = await trio.to_thread.run_sync(sounds.wav, wanted)
        etag = blake2b(content, digest_size=16).hexdigest()
        keep = {"Cache-Control": "private, max-age=86400"}
        return await download(content, "audio/wav", etag, keep)

    return chapter
