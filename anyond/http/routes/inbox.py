"""The chapter Inbox: what waits for a person, over all projects."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyond.api import inbox as api
from anyond.http.answer.envelope import encode
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming.encoders import Record, Records, Snapshot, WireFormat
from anyond.http.views import Streamed
from anyond.model.http.inbox import InboxItem
from anyond.model.refusals.daemon import Gone
from anyond.store.board import projects
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Reader
from anyond.store.runs import inbox


async def list_inbox(backend: Backend, params: api.InboxOf) -> list[InboxItem]:
    def found(reader: Reader) -> list[InboxItem]:
        if params.project_id is not None:
            projects.get(reader, params.project_id)
        return inbox.fetch_all(reader, params.project_id)

    return await backend.store.read(found)


async def stream_inbox(
    backend: Backend, params: api.FollowedInbox, _: WireFormat
) -> Streamed[Record]:
    project_id = params.project_id
    if project_id is not None:
        await backend.store.read(lambda r: projects.get(r, project_id))
    return Streamed(_follow(backend.store, project_id), Records(api.STREAM_INBOX))


async def _follow(store: Store, project_id: str | None) -> AsyncIterator[list[Record]]:
    """The inbox now, and whenever it is another one: it is short, and made of many rows."""
    sent: bytes | None = None
    cursor = store.changes.follow(store.changes.end)
    while True:
        position = store.changes.end
        rows = encode(await store.read(lambda r: inbox.fetch_all(r, project_id)))
        if rows != sent:
            sent = rows
            yield [Snapshot(position, rows)]
        try:
            while not any(change.kind in inbox.KINDS for change in await cursor.next()):
                pass
        except Gone:  # it was that slow; what it missed is in the rows
            cursor = store.changes.follow(store.changes.end)


ROUTES = (route(api.LIST_INBOX, list_inbox), route(api.STREAM_INBOX, stream_inbox))
