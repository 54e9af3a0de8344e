"""The chapter Containers: which attempt a directory belongs to."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import Call, Chapter
from anyond.model.http.answers import ContainerInfo
from anyond.model.refusals.requests import NotFound


class OfPlace(Struct, frozen=True, kw_only=True):
    """Requests for the attempt that a directory belongs to."""

    ref: Annotated[
        str,
        Meta(
            description="A path in a worktree.",
            examples=[samples.WORKTREE],
            extra={"hint": "<path of a worktree>"},
        ),
    ]


GET_CONTAINER_INFO = Call(
    method="GET",
    path="/api/containers/info",
    summary="Get container info",
    params=OfPlace,
    answer=ContainerInfo,
    cached=True,
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Containers",
    "Which attempt a directory belongs to.",
    (GET_CONTAINER_INFO,),
)
