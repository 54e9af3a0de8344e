"""The chapter Containers: which attempt a directory belongs to."""

from __future__ import annotations

from pathlib import Path

from anyond.api import containers as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import ContainerInfo
from anyond.model.refusals.requests import Invalid


async def get_container_info(backend: Backend, params: api.OfPlace) -> ContainerInfo:
    if not Path(params.ref).is_absolute():
        raise Invalid("ref", "must be an absolute path")
    found = await backend.services.attempts.at(Path(params.ref))
    return ContainerInfo(**found._asdict())


ROUTES = (route(api.GET_CONTAINER_INFO, get_container_info),)
