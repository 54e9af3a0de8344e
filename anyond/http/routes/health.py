"""The chapter Health: whether the daemon answers at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Blueprint, Response

from anyond.http.envelope import JSON, answer, encode
from anyond.model.answers import Health

if TYPE_CHECKING:
    from anyond.actors.services import Services

_OK = Health(status="ok")


def routes(services: Services) -> Blueprint:
    """`GET /health`, which is bare, and `GET /api/health`, which is enveloped like the rest."""
    chapter = Blueprint("health", __name__)

    @chapter.get("/health")
    async def bare() -> Response:
        return Response(encode(_OK), content_type=JSON)

    @chapter.get("/api/health")
    async def health() -> Response:
        return answer(_OK)

    return chapter
