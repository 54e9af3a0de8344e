"""The chapter Containers: which attempt a directory belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request

from anyond.http.envelope import cached
from anyond.model.answers import ContainerInfo
from anyond.model.errors import Invalid

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`GET /api/containers/info`."""
    chapter = Blueprint("containers", __name__, url_prefix="/api/containers")

    @chapter.get("/info")
    async def info() -> Response:
        found = await services.attempts.at(_path(request.args.get("ref")))
        return cached(ContainerInfo(**found._asdict()))

    return chapter


def _path(ref: str | None) -> Path:
    if not ref:
        raise Invalid("ref", "is missing; add ?ref=<path of a worktree>")
    if "\0" in ref:
        raise Invalid("ref", "must not contain NUL characters")
    if not Path(ref).is_absolute():
        raise Invalid("ref", "must be an absolute path")
    return Path(ref)
