"""The chapter Filesystem: what a person can choose a repository from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request

from anyond.files import directory, repositories
from anyond.http.envelope import cached

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`/api/filesystem`."""
    chapter = Blueprint("filesystem", __name__, url_prefix="/api/filesystem")

    @chapter.get("/directory")
    async def listed() -> Response:
        path = directory.place(request.args.get("path"))
        return cached(await directory.in_thread(partial(directory.list_directory, path), path))

    @chapter.get("/git-repos")
    async def git_repos() -> Response:
        text = request.args.get("path")
        path = directory.place(text)
        starts = [path] if text else repositories.usual_places()
        return cached(await directory.in_thread(partial(repositories.find, starts), path))

    return chapter
