"""The chapter Preferences: what clients of a person remember for all of them."""

from __future__ import annotations

from anyond.api import preferences as api
from anyond.api.declaration.params import Nothing
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.rules import Preferences
from anyond.store.board import preferences


async def get_preferences(backend: Backend, _: Nothing) -> Preferences:
    return await backend.store.read(preferences.fetch)


async def update_preferences(backend: Backend, _: Nothing, body: Preferences) -> Preferences:
    return await backend.store.write(lambda tx: preferences.update(tx, body.values))


ROUTES = (
    route(api.GET_PREFERENCES, get_preferences),
    route(api.UPDATE_PREFERENCES, update_preferences),
)
