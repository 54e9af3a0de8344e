"""What the event stream says, and that a client finds its place again or is told that it cannot."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import trio

from anyond.http.streaming import sse
from anyond.http.streaming.encoders import PLAIN
from anyond.model.http.bodies import TaskPatch
from anyond.model.ids import now
from anyond.store.board import tasks
from tests.support.http.front_door import Server


class Event(NamedTuple):
    name: str
    data: Any
    id: int


@asynccontextmanager
async def listening(
    server: Server, query: str = "", **headers: str
) -> AsyncIterator[AsyncIterator[Event]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with trio.fail_after(20):
        async with server.client.stream("GET", f"/api/events{query}", headers=named) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = response.aiter_lines()
            assert await anext(lines) == "retry: 2000"
            yield _events(lines)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    found: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if name:
            found[name] = value
        elif "event" in found:
            yield Event(found["event"], json.loads(found["data"]), int(found["id"]))
            found = {}


async def test_events_have_a_name_a_record_and_a_position(server: Server) -> None:
    project = await server.project()
    await server.task(project.id, "before")
    async with listening(server) as events:
        task = await server.task(project.id, "ü")
        await server.store.write(lambda tx: tasks.patch(tx, task.id, TaskPatch(title="n"), now()))
        first, second = await anext(events), await anext(events)
    assert (first.name, first.data["title"]) == ("task_created", "ü")
    assert (second.name, second.id) == ("task_updated", first.id + 1)
    for resumed in (
        listening(server, f"?after={first.id}"),
        listening(server, "?after=0", last_event_id=str(first.id)),
    ):
        async with resumed as events:
            assert await anext(events) == second


async def test_a_position_that_is_not_held_is_answered_by_where_to_go_on(server: Server) -> None:
    project = await server.project()
    await server.task(project.id)
    async with listening(server, "?after=77") as events:
        assert await anext(events) == Event("resync", {"oldest": 0, "end": 1}, 1)
        await server.task(project.id)
        assert (await anext(events)).name == "task_created"


async def test_silence_is_broken_by_comments_and_lost_by_none(server: Server) -> None:
    project = await server.project()
    closing = trio.Event()
    into, body = trio.open_memory_channel[bytes](0)
    events = sse.Events(server.store.changes, None, closing, PLAIN.event, quiet=0.05)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(events.send_to, into.send)
        assert await body.receive() == b"retry: 2000\n\n"
        assert await body.receive() == b": still here\n\n"
        await server.task(project.id)
        while b"task_created" not in (part := await body.receive()):
            assert part == b": still here\n\n"
        closing.set()  # which ends it


async def test_a_client_of_old_http_gets_the_events_as_they_are(server: Server) -> None:
    place = urlsplit(str(server.client.base_url))
    stream = await trio.open_tcp_stream(place.hostname or "", place.port or 0)
    with trio.fail_after(20):
        async with stream:
            await stream.send_all(b"GET /api/events HTTP/1.0\r\nHost: localhost\r\n\r\n")
            seen = b""
            while b"retry: 2000\n\n" not in seen:
                seen += await stream.receive_some()
            await server.task((await server.project()).id)
            while b"event: task_created\ndata: " not in seen:
                seen += await stream.receive_some()
    head, _, body = seen.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"retry: 2000\n\n")


async def test_asking_for_the_head_only_ends(server: Server) -> None:
    answer = await server.client.head("/api/events")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_updates_of_processes_are_no_events(server: Server) -> None:
    async with listening(server) as events:

        def emit(tx: Any) -> None:
            for kind in ("process_started", "process_updated", "process_completed"):
                tx.emit(kind, TaskPatch(), key="x")

        await server.store.write(emit)
        names = [(await anext(events)).name, (await anext(events)).name]
    assert names == ["process_started", "process_completed"]
