"""The chapter Usage: tokens, money and time of agents."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from anyond.api.declaration.endpoint import Call, Chapter
from anyond.api.declaration.params import ProjectId
from anyond.model.http.usage import UsageBy, UsageSum


class UsageOf(Struct, frozen=True, kw_only=True):
    """Requests for what agents have used."""

    by: Annotated[UsageBy, Meta(description="What it is added up for.")] = UsageBy.DAY
    since: (
        Annotated[
            str,
            Meta(
                description="Only runs that have ended since this day or moment (UTC).",
                examples=["2025-01-01"],
            ),
        ]
        | None
    ) = None
    project_id: ProjectId | None = None


GET_USAGE = Call(
    method="GET",
    path="/api/usage",
    summary="Get usage",
    params=UsageOf,
    text="What runs of agents that are over have used, as the agents told it; those of deleted"
    " tasks too. What was last used comes first.",
    answer=list[UsageSum],
    cached=True,
)

CHAPTER = Chapter("Usage", "Tokens, money and time of agents.", (GET_USAGE,))
