"""The Model Context Protocol, by which agents use Anyon with tools; others see `install`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http.mcp.view import McpView
from anyond.http.routing import Route
from anyond.model.access import Scope

if TYPE_CHECKING:
    from anyond.http.application import App
    from anyond.http.backend import Backend

PATH = "/mcp"


def install(app: App, backend: Backend) -> None:
    """Add the protocol to `app`, at `/mcp`.

    It needs no more than to read; each tool asks its endpoint, which has a scope of its own.
    """
    view = McpView(app.answer, backend)
    summary = "Use the Model Context Protocol"
    app.routes.add(Route("POST", PATH, view, Scope.READ, summary, confines=True))
