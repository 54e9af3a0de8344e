"""All declarations, in the order in which they are told."""

from __future__ import annotations

from anyond.http.openapi.chapters.attempts import ATTEMPTS
from anyond.http.openapi.chapters.drafts import APPROVALS, DRAFTS
from anyond.http.openapi.chapters.landing import AUTHENTICATION, LANDING
from anyond.http.openapi.chapters.processes import EVENTS, PROCESSES
from anyond.http.openapi.chapters.projects import CONTAINERS, FILESYSTEM, PROJECTS
from anyond.http.openapi.chapters.system import DESCRIPTION, HEALTH, SYSTEM
from anyond.http.openapi.chapters.tasks import IMAGES, TAGS, TASKS
from anyond.http.openapi.operation import Chapter

CHAPTERS: tuple[Chapter, ...] = (
    HEALTH,
    SYSTEM,
    AUTHENTICATION,
    PROJECTS,
    TASKS,
    ATTEMPTS,
    LANDING,
    PROCESSES,
    DRAFTS,
    APPROVALS,
    IMAGES,
    TAGS,
    EVENTS,
    FILESYSTEM,
    CONTAINERS,
    DESCRIPTION,
)
