"""What the WebSocket streams say, and where they go on after an interruption."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection

from anyond.http.streaming.encoders import MESSAGE_BYTES, Entries, Raw, Snapshot
from anyond.http.streaming.records import follow, reading
from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.http.frames import DiffFound, DiffReady, DiffRemoved, DiffRemovedPath, EntryFrame
from anyond.model.ids import new_id, now
from anyond.model.records import Stream
from anyond.model.rows import Diff
from anyond.store.board import projects, tasks
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from tests.support.http.front_door import Server, chunks
from tests.support.store.new_database import new_database

ID = new_id()


async def message(ws: WebSocketConnection) -> Any:
    return json.loads(await ws.get_message())


async def closed(ws: WebSocketConnection) -> int:
    with pytest.raises(ConnectionClosed):
        await ws.get_message()
    assert ws.closed is not None
    return int(ws.closed.code)


async def test_tasks_are_a_snapshot_and_then_what_happens_to_them(server: Server) -> None:
    project, other = await server.project(), await server.project()
    first = await server.task(project.id)
    path = f"/api/tasks/stream/ws?project_id={project.id.upper()}"
    async with server.websocket(path) as ws:
        snapshot = await message(ws)
        assert snapshot["type"] == "snapshot"
        assert [row["id"] for row in snapshot["data"]] == [first.id]
        await server.task(other.id)
        second = await server.task(project.id, 'with "quotes" and ü')
        await server.store.write(lambda tx: tasks.delete(tx, first.id, now()))
        created, deleted = await message(ws), await message(ws)
    assert (created["type"], created["data"]["title"]) == ("task_created", second.title)
    assert (deleted["type"], deleted["data"]["id"]) == ("task_deleted", first.id)
    assert snapshot["seq"] < created["seq"] < deleted["seq"]
    async with server.websocket(f"{path}&after={snapshot['seq']}") as ws:
        assert [await message(ws), await message(ws)] == [created, deleted]
    async with server.websocket(f"{path}&after={created['seq']}") as ws:
        assert await message(ws) == deleted


async def test_a_position_that_is_not_held_gets_a_fresh_snapshot(server: Server) -> None:
    project = await server.project()
    await server.task(project.id)
    path = f"/api/tasks/stream/ws?project_id={project.id}"
    async with server.websocket(f"{path}&after=999999") as ws:
        snapshot = await message(ws)
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", server.store.changes.end)
        await server.task(project.id)
        assert (await message(ws))["type"] == "task_created"


@pytest.mark.parametrize("batch", [False, True])
async def test_raw_logs_are_operations_on_a_list_and_have_an_end(
    server: Server, batch: bool
) -> None:
    id, tape = server.services.logs.tape()
    tape.add(*chunks(b"one\n", b"two\xff\n"))
    path = f"/api/execution-processes/{id}/raw-logs/ws?batch={str(batch).lower()}"
    async with server.websocket(path) as ws:
        got = await message(ws) if batch else [await message(ws), await message(ws)]
        tape.add(*chunks(b"oops", stream=Stream.STDERR, first=2))
        got += await message(ws) if batch else [await message(ws)]
        tape.end()
        assert await message(ws) == {"finished": True}
        assert await closed(ws) == 1000
    assert got == [
        {"op": "add", "path": "/0", "value": {"type": "stdout", "content": "one\n"}, "seq": 0},
        {"op": "add", "path": "/1", "value": {"type": "stdout", "content": "two�\n"}, "seq": 1},
        {"op": "add", "path": "/2", "value": {"type": "stderr", "content": "oops"}, "seq": 2},
    ]
    async with server.websocket(f"{path}&after=1") as ws:
        assert await message(ws) == (got[2:] if batch else got[2])
        assert await message(ws) == {"finished": True}


async def test_entries_carry_their_index_and_their_position(server: Server) -> None:
    id, tape = server.services.logs.tape()
    tape.add(EntryFrame(1, 0, b'{"content":"a"}'), EntryFrame(7, 0, '{"content":"ä"}'.encode()))
    tape.end()
    path = f"/api/execution-processes/{id}/normalized-logs/ws"
    async with server.websocket(path) as ws:
        assert await message(ws) == {"content": "a", "index": 0, "seq": 1}
        assert await message(ws) == {"content": "ä", "index": 0, "seq": 7}
        assert await message(ws) == {"finished": True}
    async with server.websocket(f"{path}?batch=1") as ws:
        assert [entry["seq"] for entry in await message(ws)] == [1, 7]


async def test_an_unknown_process_is_refused_before_the_upgrade(server: Server) -> None:
    for path, status in {
        f"/api/execution-processes/{ID}/raw-logs/ws": 404,
        f"/api/execution-processes/{ID}/normalized-logs/ws": 404,
        f"/api/execution-processes/stream/ws?task_attempt_id={ID}": 404,
        f"/api/task-attempts/{ID}/diff/ws": 404,
        f"/api/tasks/stream/ws?project_id={ID}": 404,
        "/api/tasks/stream/ws": 400,
        "/api/execution-processes/x/raw-logs/ws": 400,
        f"/api/execution-processes/{ID}/raw-logs/ws?after=x": 400,
        f"/api/execution-processes/{ID}/raw-logs/ws?batch=2": 400,
        f"/api/execution-processes/{ID}/raw-logs/ws?format=morse": 400,
        "/api/nothing": 404,
        "/api/projects": 400,
    }.items():
        with pytest.raises(ConnectionRejected) as refused:
            async with server.websocket(path):
                pytest.fail("it was accepted")
        assert (path, refused.value.status_code) == (path, status)
        body = json.loads(refused.value.body or b"")
        assert (body["success"], list(body)[-1]) == (False, "message")


async def test_a_mistake_of_ours_ends_a_stream_with_1011(server: Server) -> None:
    id, tape = server.services.logs.tape()
    tape.add("no frame at all")
    async with server.websocket(f"/api/execution-processes/{id}/raw-logs/ws") as ws:
        assert await closed(ws) == 1011


async def test_many_followers_all_get_everything_in_order(server: Server) -> None:
    id, tape = server.services.logs.tape()
    path = f"/api/execution-processes/{id}/raw-logs/ws?batch=true"
    async with server.websocket(path) as one, server.websocket(path) as two:
        for start in range(0, 1000, 100):
            tape.add(*chunks(*[b"line\n"] * 100, first=start))
        tape.end()
        for ws in (one, two):
            got: list[int] = []
            while isinstance(operations := await message(ws), list):
                got += [operation["seq"] for operation in operations]
            assert got == list(range(1000))


def test_lists_are_cut_where_a_message_would_become_too_large() -> None:
    texts = list(Raw(True).encode(chunks(*[b"x" * 10_000] * 20)))
    assert sum(len(json.loads(text)) for text in texts) == 20
    assert all(len(text) <= MESSAGE_BYTES + 100 for text in texts)
    (large,) = Raw(True).encode(chunks(b"x" * 200_000))
    assert len(json.loads(large)) == 1


def test_a_chunk_says_the_same_whatever_came_before_it() -> None:
    frames = chunks("1€".encode(), b"\xff2\r\0", "cut €".encode()[:-1])
    whole = list(Raw(False).encode(frames))
    assert [json.loads(text)["value"]["content"] for text in whole] == ["1€", "�2\r\0", "cut �"]
    assert list(Raw(False).encode(frames[2:])) == whole[2:]
    assert list(Raw(False).end()) == list(Raw(True).end()) == [b'{"finished":true}']


def test_no_entries_are_no_message() -> None:
    assert list(Entries(True).encode([])) == []


async def test_a_snapshot_is_taken_again_when_a_follower_falls_too_far_behind(
    tmp_path: Path,
) -> None:
    async with Store.open(new_database(tmp_path / "db"), keep=2) as store:
        new = NewProject(name="p", git_repo_path="/p", use_existing_repo=True)
        await store.write(lambda tx: projects.insert(tx, new, ID, now()))
        rows = reading(store, lambda r: tasks.all_with_status(r, ID))
        source = follow(store, rows, lambda c: True, None)
        assert isinstance((await anext(source))[0], Snapshot)
        task = NewTask(project_id=ID, title="t")

        def insert_many(tx: Tx) -> None:
            for _ in range(3000):
                tasks.insert(tx, task, new_id(), now())

        await store.write(insert_many)
        (again,) = await anext(source)
        assert isinstance(again, Snapshot)
        assert (again.seq, len(json.loads(again.rows))) == (3000, 3000)
        await source.aclose()  # type: ignore[attr-defined]


async def test_a_diff_says_what_differs_and_when_it_is_complete(server: Server) -> None:
    attempt = await server.attempt()
    diff = Diff(change="added", old_path=None, new_path="a", new_content="x", additions=1)
    tape = server.services.diffs.tape
    tape.add(
        DiffFound(data=diff, seq=1),
        DiffReady(seq=2),
        DiffRemoved(data=DiffRemovedPath(path="a"), seq=3),
    )
    path = f"/api/task-attempts/{attempt}/diff/ws?stats_only=true&after=4"
    async with server.websocket(path) as ws:
        first = await message(ws)
        assert (first["type"], first["seq"]) == ("diff", 1)
        assert (first["data"]["newPath"], first["data"]["contentOmitted"]) == ("a", False)
        assert await message(ws) == {"type": "ready", "seq": 2}
        assert await message(ws) == {"type": "diff_removed", "data": {"path": "a"}, "seq": 3}
    assert server.services.diffs.asked == [(attempt, True, 4, False)]


async def test_processes_are_told_with_their_start_their_end_and_their_dropping(
    server: Server,
) -> None:
    attempt = await server.attempt()
    old = await server.process(attempt)
    path = f"/api/execution-processes/stream/ws?task_attempt_id={attempt}"
    async with (
        server.websocket(path) as some,
        server.websocket(f"{path}&show_soft_deleted=1") as all,
    ):
        for ws in (some, all):
            assert [row["id"] for row in (await message(ws))["data"]] == [old]
        await server.end_process(old)
        new = await server.process(attempt)
        await server.store.write(lambda tx: processes.drop_from(tx, attempt, new, now()))
        await server.end_process(new)
        for ws in (some, all):
            ended, begun, dropped = [await message(ws) for _ in range(3)]
            assert (ended["type"], ended["data"]["status"]) == ("process_completed", "completed")
            assert (begun["type"], begun["data"]["id"]) == ("process_created", new)
            assert (dropped["type"], dropped["data"]["dropped"]) == ("process_updated", True)
        assert (await message(all))["type"] == "process_completed"
        last = await server.process(attempt)
        assert (await message(some))["data"]["id"] == last  # and nothing in between
    async with server.websocket(path) as ws:
        assert [row["id"] for row in (await message(ws))["data"]] == [last, old]
