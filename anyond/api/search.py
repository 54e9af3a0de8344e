"""The chapter Search: all that was written, said and done, by its words."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from anyond.api.declaration.endpoint import Call, Chapter
from anyond.model.fields import Line
from anyond.model.http.found import SearchPage

MOST_HITS = 100
"""The most hits of a page."""


class Searched(Struct, frozen=True, kw_only=True):
    """Requests for what has words in it."""

    q: Annotated[
        Line,
        Meta(
            description='Words that must all be there, each as the beginning of one; `"in quotes"`'
            " as they are. `project:` (a name or an id), `agent:`, `status:`, `before:` and"
            " `after:` (a day, or a moment) narrow it.",
            examples=["tea timer agent:codex"],
        ),
    ]
    limit: Annotated[
        int, Meta(ge=1, le=MOST_HITS, description=f"At most so many hits, 1 to {MOST_HITS}.")
    ] = 20
    cursor: Annotated[str, Meta(description="`cursor` of the page before.")] = ""


SEARCH = Call(
    method="GET",
    path="/api/search",
    summary="Search",
    params=Searched,
    text="Titles and descriptions of tasks; messages, commands and paths of conversations that are"
    " over. The newest first.",
    answer=SearchPage,
    cached=True,
)

CHAPTER = Chapter("Search", "All that was written, said and done, by its words.", (SEARCH,))
