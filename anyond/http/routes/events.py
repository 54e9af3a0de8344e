"""The chapter Events: everything that happens, as Server-Sent Events."""

from __future__ import annotations

from anyond.api import events as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming.encoders import WireFormat
from anyond.http.streaming.sse import Events


async def follow_events(
    backend: Backend, params: api.FollowedEvents, wire_format: WireFormat
) -> Events:
    # A browser that reconnects repeats the old query, but its header is up to date.
    after = params.after if params.last_event_id is None else params.last_event_id
    services = backend.services
    return Events(services.store.changes, after, services.closing, wire_format.event)


ROUTES = (route(api.FOLLOW_EVENTS, follow_events),)
