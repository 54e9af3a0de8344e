"""The examples of all chapters."""

from __future__ import annotations

from anyond.api.examples import (
    access,
    approvals,
    attempts,
    authentication,
    board,
    branches,
    changes,
    containers,
    drafts,
    events,
    filesystem,
    health,
    images,
    inbox,
    preferences,
    processes,
    projects,
    reviews,
    search,
    system,
    tags,
    tasks,
    usage,
)
from anyond.api.examples.example import Example, Examples

EXAMPLES: Examples = {
    endpoint: example
    for chapter in (
        health,
        system,
        authentication,
        access,
        projects,
        tasks,
        board,
        inbox,
        search,
        usage,
        preferences,
        attempts,
        branches,
        changes,
        reviews,
        processes,
        drafts,
        approvals,
        images,
        tags,
        events,
        filesystem,
        containers,
    )
    for endpoint, example in chapter.EXAMPLES.items()
}
NONE = Example()
"""Of an endpoint that neither reads nor answers anything."""
