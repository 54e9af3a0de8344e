"""The application, made of the chapters of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http import vk
from anyond.http.application import App
from anyond.http.backend import backend_of
from anyond.http.board import install as install_board
from anyond.http.dispatch import complete, views
from anyond.http.guard import Policy
from anyond.http.mcp import install as install_mcp
from anyond.http.routes import (
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

if TYPE_CHECKING:
    from anyond.services.services import Services

ROUTES = complete(
    health.ROUTES,
    system.ROUTES,
    authentication.ROUTES,
    access.ROUTES,
    projects.ROUTES,
    tasks.ROUTES,
    board.ROUTES,
    inbox.ROUTES,
    search.ROUTES,
    usage.ROUTES,
    preferences.ROUTES,
    attempts.ROUTES,
    branches.ROUTES,
    changes.ROUTES,
    reviews.ROUTES,
    processes.ROUTES,
    drafts.ROUTES,
    approvals.ROUTES,
    images.ROUTES,
    tags.ROUTES,
    events.ROUTES,
    filesystem.ROUTES,
    containers.ROUTES,
    description.ROUTES,
)


def create_app(services: Services, policy: Policy) -> App:
    """The whole API over `services`, for whom `policy` lets in; an ASGI application."""
    app = App(policy, services.closing)
    backend = backend_of(services, policy)
    for route in views(ROUTES, backend):
        app.routes.add(route)
    install_board(app)
    vk.install(app, backend)
    install_mcp(app, backend)
    return app
