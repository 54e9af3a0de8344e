"""The chapter Filesystem: directories and repositories of this machine."""

from __future__ import annotations

from functools import partial

from anyond.api import filesystem as api
from anyond.files import directory, repositories
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import DirectoryEntry, Listing


async def list_directory(_: Backend, params: api.OfDirectory) -> Listing:
    path = directory.place(params.path)
    return await directory.in_thread(partial(directory.list_directory, path), path)


async def list_repositories(_: Backend, params: api.BelowDirectory) -> list[DirectoryEntry]:
    path = directory.place(params.path)
    starts = [path] if params.path else repositories.usual_directories()
    return await directory.in_thread(partial(repositories.find, starts), path)


ROUTES = (
    route(api.LIST_DIRECTORY, list_directory),
    route(api.LIST_GIT_REPOSITORIES, list_repositories),
)
