"""The chapter Health: whether the daemon answers at all."""

from __future__ import annotations

from anyond.api.declaration.endpoint import Call, Chapter
from anyond.api.declaration.params import Nothing
from anyond.model.http.answers import Health

CHECK_HEALTH = Call(
    method="GET",
    path="/health",
    summary="Check health",
    params=Nothing,
    text="Bare, without the envelope.",
    answer=Health,
    bare=True,
)
CHECK_API_HEALTH = Call(
    method="GET",
    path="/api/health",
    summary="Check API health",
    params=Nothing,
    answer=Health,
)

CHAPTER = Chapter(
    "Health",
    "Whether the daemon answers at all.",
    (
        CHECK_HEALTH,
        CHECK_API_HEALTH,
    ),
)
