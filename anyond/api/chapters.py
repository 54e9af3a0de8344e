"""All chapters of the API, in the order in which they are told, and all endpoints in them."""

from __future__ import annotations

from typing import Any

from anyond.api import (
    access,
    approvals,
    attempts,
    authentication,
    board,
    branches,
    changes,
    containers,
    description,
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
from anyond.api.declaration.endpoint import Chapter, Endpoint

CHAPTERS: tuple[Chapter, ...] = (
    health.CHAPTER,
    system.CHAPTER,
    authentication.CHAPTER,
    access.CHAPTER,
    projects.CHAPTER,
    tasks.CHAPTER,
    board.CHAPTER,
    inbox.CHAPTER,
    search.CHAPTER,
    usage.CHAPTER,
    preferences.CHAPTER,
    attempts.CHAPTER,
    branches.CHAPTER,
    changes.CHAPTER,
    reviews.CHAPTER,
    processes.CHAPTER,
    drafts.CHAPTER,
    approvals.CHAPTER,
    images.CHAPTER,
    tags.CHAPTER,
    events.CHAPTER,
    filesystem.CHAPTER,
    containers.CHAPTER,
    description.CHAPTER,
)
ENDPOINTS: tuple[Endpoint[Any], ...] = tuple(
    endpoint for chapter in CHAPTERS for endpoint in chapter.endpoints
)
