"""The examples of all chapters."""

from __future__ import annotations

from anyond.api.examples import (
    approvals,
    attempts,
    authentication,
    branches,
    containers,
    drafts,
    filesystem,
    health,
    images,
    processes,
    projects,
    system,
    tags,
    tasks,
)
from anyond.api.examples.example import Example, Examples

EXAMPLES: Examples = {
    endpoint: example
    for chapter in (
        health,
        system,
        authentication,
        projects,
        tasks,
        attempts,
        branches,
        processes,
        drafts,
        approvals,
        images,
        tags,
        filesystem,
        containers,
    )
    for endpoint, example in chapter.EXAMPLES.items()
}
NONE = Example()
"""Of an endpoint that neither reads nor answers anything."""
