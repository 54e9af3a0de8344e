"""The chapter Events: everything that happens, as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request

from anyond.http import sse
from anyond.http.encoders import flavour
from anyond.http.query import position, position_in

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`GET /api/events`."""
    chapter = Blueprint("events", __name__)

    @chapter.get("/api/events")
    async def events() -> Response:
        # A browser that reconnects repeats the old query, but its header is up to date.
        last = request.headers.get("Last-Event-ID")
        after = position(last, "Last-Event-ID") if last else position_in(request.args)
        write = flavour(request.args).event
        body: AsyncIterator[bytes] | bytes = b""
        if request.method != "HEAD":  # whose answer would never end, and never show a byte
            body = sse.events(services.store.changes, after, services.closing, write)
        response = Response(body, content_type="text/event-stream; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        response.timeout = None
        return response

    return chapter
