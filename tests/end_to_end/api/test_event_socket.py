"""The events as a WebSocket: a beginning, each change once, and going on after a restart."""

from __future__ import annotations

from anyond.api.declaration.params import Followed
from anyond.api.events import STREAM_EVENTS
from anyond.model.http import frames
from tests.support.daemon import Daemon


async def test_events_begin_with_a_position_and_go_on_after_it(daemon: Daemon) -> None:
    project = await daemon.project()
    body = {"project_id": project["id"], "title": "One"}
    async with daemon.api() as client:
        async with client.follow(STREAM_EVENTS, Followed()) as followed:
            begin = await anext(followed)
            assert isinstance(begin, frames.EventsBegin)
            task = await daemon.ask("POST", "/api/tasks", body)
            created = await anext(followed)
            assert isinstance(created, frames.TaskCreated)
            assert (created.data.id, created.seq) == (task["id"], begin.seq + 1)
        await daemon.ask("PUT", f"/api/tasks/{task['id']}", {"title": "Two"})
        await daemon.stop()
        await daemon.start()
    async with daemon.api() as client:
        after = Followed(after=created.seq)
        async with client.follow(STREAM_EVENTS, after) as followed:
            updated = await anext(followed)
            assert isinstance(updated, frames.TaskUpdated)
            assert (updated.data.title, updated.seq) == ("Two", created.seq + 1)
        async with client.follow(STREAM_EVENTS, Followed(after=10**9)) as followed:
            assert isinstance(await anext(followed), frames.EventsBegin)
