"""The chapter Filesystem: directories and repositories of this machine."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from anyond.api.declaration.endpoint import Call, Chapter
from anyond.model.http.answers import DirectoryEntry, Listing
from anyond.model.refusals.files import Unreadable
from anyond.model.refusals.requests import NotFound


class OfDirectory(Struct, frozen=True, kw_only=True):
    """Requests for what is in a directory."""

    path: (
        Annotated[str, Meta(description="The home directory if left out.", examples=["/home/ada"])]
        | None
    ) = None


class BelowDirectory(Struct, frozen=True, kw_only=True):
    """Requests for the repositories below a directory."""

    path: (
        Annotated[str, Meta(description="The usual places if left out.", examples=["/home/ada"])]
        | None
    ) = None


LIST_DIRECTORY = Call(
    method="GET",
    path="/api/filesystem/directory",
    summary="List directory",
    params=OfDirectory,
    answer=Listing,
    cached=True,
    refusals=(NotFound, Unreadable),
)
LIST_GIT_REPOSITORIES = Call(
    method="GET",
    path="/api/filesystem/git-repos",
    summary="List git repositories",
    params=BelowDirectory,
    text="Searched for at and below a directory, within bounds of depth and time.",
    answer=list[DirectoryEntry],
    cached=True,
    refusals=(NotFound, Unreadable),
)

CHAPTER = Chapter(
    "Filesystem",
    "What a person can choose a repository from.",
    (
        LIST_DIRECTORY,
        LIST_GIT_REPOSITORIES,
    ),
)
