"""The flavour in which the ancestor's clients work as they are; others only see `install`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http.encoders import FLAVOURS
from anyond.http.vk import routes
from anyond.http.vk.face import FORMAT, PREFIX, VkFace
from anyond.http.vk.patches import PATCHES

if TYPE_CHECKING:
    from anyond.actors.services import Services
    from anyond.http.front import Front


def install(front: Front, services: Services) -> None:
    """Give `front` the flavour: below `/vk`, by `?format=patch`, and as a face for a listener."""
    FLAVOURS[FORMAT] = PATCHES
    face = VkFace(front, services)
    front.register_blueprint(routes.routes(services))
    front.faces[PREFIX] = face
    front.formats[FORMAT] = face
