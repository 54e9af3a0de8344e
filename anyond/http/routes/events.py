"""The chapter Events: everything that happens, as Server-Sent Events or through a WebSocket."""

from __future__ import annotations

from anyond.api import events as api
from anyond.api.declaration.params import Followed
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming import records
from anyond.http.streaming.encoders import EventFrames, Record, Snapshot, WireFormat
from anyond.http.streaming.sse import Events
from anyond.http.views import Streamed
from anyond.model.http.frames import by_change
from anyond.model.rows import Change

_KINDS = frozenset(by_change(api.STREAM_EVENTS.frames))


async def follow_events(
    backend: Backend, params: api.FollowedEvents, wire_format: WireFormat
) -> Events:
    # A browser that reconnects repeats the old query, but its header is up to date.
    after = params.after if params.last_event_id is None else params.last_event_id
    services = backend.services
    return Events(services.store.changes, after, services.closing, wire_format.event)


async def stream_events(backend: Backend, params: Followed, _: WireFormat) -> Streamed[Record]:
    store = backend.store

    def is_event(change: Change) -> bool:
        return change.kind in _KINDS

    async def begin() -> Snapshot:
        return Snapshot(store.changes.end, b"")

    return Streamed(records.follow(store, begin, is_event, params.after), EventFrames())


ROUTES = (
    route(api.FOLLOW_EVENTS, follow_events),
    route(api.STREAM_EVENTS, stream_events),
)
