"""The chapter Health: whether the daemon answers at all."""

from __future__ import annotations

from anyond.api import health
from anyond.api.declaration.params import Nothing
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import Health

_OK = Health(status="ok")


async def check_health(_: Backend, __: Nothing) -> Health:
    return _OK


ROUTES = (
    route(health.CHECK_HEALTH, check_health),
    route(health.CHECK_API_HEALTH, check_health),
)
