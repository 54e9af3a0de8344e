"""The wire format in which vibe-kanban's clients work as they are; others only see `install`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http.vk import routes
from anyond.http.vk.gateway import FORMAT, PREFIX, VkGateway
from anyond.http.vk.patches import PATCHES

if TYPE_CHECKING:
    from anyond.http.backend import Backend
    from anyond.http.front import Front


def install(front: Front, backend: Backend) -> None:
    """Add the wire format to `front`: below `/vk`, by `?format=patch`, and for a listener."""
    backend.wire_formats[FORMAT] = PATCHES
    gateway = VkGateway(front, backend.services)
    front.register_blueprint(routes.routes(backend.services))
    front.gateways[PREFIX] = gateway
    front.formats[FORMAT] = gateway
