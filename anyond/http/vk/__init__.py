"""The flavour in which the ancestor's clients work as they are; others only see `install`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http.vk import routes
from anyond.http.vk.face import FORMAT, PREFIX, VkFace
from anyond.http.vk.patches import PATCHES

if TYPE_CHECKING:
    from anyond.http.backend import Backend
    from anyond.http.front import Front


def install(front: Front, backend: Backend) -> None:
    """Give `front` the flavour: below `/vk`, by `?format=patch`, and as a face for a listener."""
    backend.flavours[FORMAT] = PATCHES
    face = VkFace(front, backend.services)
    front.register_blueprint(routes.routes(backend.services))
    front.faces[PREFIX] = face
    front.formats[FORMAT] = face
