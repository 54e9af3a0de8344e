"""The chapter Description: the API described, for programs and for people."""

from __future__ import annotations

from anyond.api.declaration.endpoint import Chapter, Download
from anyond.api.declaration.params import Nothing

GET_THIS_DESCRIPTION = Download(
    method="GET",
    path="/openapi.json",
    summary="Get this description",
    params=Nothing,
    text="OpenAPI 3.1, bare.",
    media_types=("application/json",),
    content="The description.",
)
BROWSE_THIS_DESCRIPTION = Download(
    method="GET",
    path="/docs",
    summary="Browse this description",
    params=Nothing,
    media_types=("text/html",),
    content="A page for people.",
)

CHAPTER = Chapter(
    "Description",
    "What you are reading.",
    (
        GET_THIS_DESCRIPTION,
        BROWSE_THIS_DESCRIPTION,
    ),
)
