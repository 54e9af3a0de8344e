"""How the chapters of the API become one application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http import vk
from anyond.http.front import Front
from anyond.http.guard import Policy
from anyond.http.routes import (
    approvals,
    attempt_actions,
    attempts,
    containers,
    description,
    drafts,
    events,
    filesystem,
    github,
    health,
    images,
    mcp,
    processes,
    projects,
    search,
    sounds,
    system,
    tags,
    tasks,
)

if TYPE_CHECKING:
    from anyond.actors.services import Services


def create_app(services: Services, policy: Policy) -> Front:
    """The whole API over `services`, for whom `policy` lets in; an ASGI application."""
    app = Front(policy)
    for chapter in (
        health,
        system,
        mcp,
        sounds,
        projects,
        search,
        tasks,
        attempts,
        attempt_actions,
        processes,
        approvals,
        github,
        drafts,
        events,
        tags,
        images,
        filesystem,
        containers,
        description,
    ):
        app.register_blueprint(chapter.routes(services))
    vk.install(app, services)
    return app
