"""The wire format in which vibe-kanban's clients work as they are; others only see `install`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http.vk import routes
from anyond.http.vk.gateway import FORMAT, PREFIX, VkGateway
from anyond.http.vk.patches import PATCHES

if TYPE_CHECKING:
    from anyond.http.application import App
    from anyond.http.backend import Backend


def install(app: App, backend: Backend) -> None:
    """Add the wire format to `app`: below `/vk`, by `?format=patch`, and for a listener."""
    backend.wire_formats[FORMAT] = PATCHES
    gateway = VkGateway(app, backend.services)
    for route in routes.routes(backend.services):
        app.routes.add(route)
    app.gateways[PREFIX] = gateway
    app.formats[FORMAT] = gateway
