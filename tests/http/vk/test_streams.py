"""How streams are written as JSON Patch: read by a model of the client, the outcome is true."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio_websocket import ConnectionClosed

from anyond.http.answer.envelope import encode
from anyond.http.streaming.encoders import MESSAGE_BYTES, Snapshot
from anyond.http.vk.pacing import RUNNING_FIRST_SECONDS, STATUS_FIRST_SECONDS
from anyond.http.vk.patches import PATCHES
from anyond.model.http.frames import (
    DiffFound,
    DiffReady,
    DiffRemoved,
    DiffRemovedPath,
    DiffResync,
    EntryFrame,
)
from anyond.model.ids import timestamp
from anyond.model.records import Stream
from anyond.model.rows import Change, Diff
from anyond.store.board import attempts, tasks
from tests.support.clients.vk_client import apply
from tests.support.http.front_door import Server, Tape, chunks, open_server, until

FINISHED = {"finished": True}


def reported(document: Any, messages: Any) -> Any:
    """The client's document after `messages`."""
    for message in messages:
        operations = json.loads(message)["JsonPatch"]
        assert operations
        assert len({operation["path"] for operation in operations}) == len(operations)
        apply(document, operations)
    return document


def entry(index: int, text: str, seq: int = 0) -> EntryFrame:
    made = {"entry_type": {"type": "assistant_message"}, "content": text}
    return EntryFrame(seq, index, encode(made))


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.text(max_size=3)), max_size=9), max_size=9)
)
def test_entries_end_up_at_their_places_in_whatever_order_they_come(
    batches: list[list[tuple[int, str]]],
) -> None:
    encoder = PATCHES.entries(True)
    document: Any = {"entries": []}
    latest: dict[int, str] = {}
    for batch in batches:
        items = dict(batch)  # a batch tells of each entry once
        reported(document, encoder.encode([entry(index, text) for index, text in items.items()]))
        latest |= items
    displayed = [e["content"] for e in document["entries"]]
    assert len(displayed) == max(latest, default=-1) + 1
    for index, content in enumerate(displayed):
        loading = content["entry_type"]["type"] == "loading"
        assert loading == (index not in latest)
        assert content["content"] == latest.get(index, "")
    assert list(encoder.end()) == [b'{"finished":true}']


def test_an_entry_of_a_type_that_the_client_does_not_know_is_a_remark() -> None:
    made = {"entry_type": {"type": "token_usage", "input_tokens": 7}, "content": "7 tokens"}
    document = reported(
        {"entries": []}, PATCHES.entries(False).encode([EntryFrame(1, 0, encode(made))])
    )
    (displayed,) = document["entries"]
    assert displayed["content"] == {"entry_type": {"type": "system_message"}, "content": "7 tokens"}


def test_output_comes_in_few_frames_that_are_not_too_large() -> None:
    text = b"x" * 10_000
    messages = list(PATCHES.raw(False).encode(chunks(*[text] * 20)))
    assert 3 <= len(messages) <= 5
    assert all(len(message) <= MESSAGE_BYTES + 11_000 for message in messages)
    assert len(reported({"entries": []}, messages)["entries"]) == 20


def test_differences_are_a_map_by_path_and_emptiness_is_told() -> None:
    def differs(path: str, seq: int) -> DiffFound:
        return DiffFound(data=Diff(change="modified", old_path=path, new_path=path), seq=seq)

    encoder = PATCHES.diff()
    document: Any = {"entries": {}}
    messages = list(encoder.encode([DiffReady(seq=1)]))
    assert [json.loads(m)["JsonPatch"] for m in messages] == [
        [{"op": "replace", "path": "/entries", "value": {}}]
    ]
    odd = 'a~b/c"d'
    reported(
        document,
        encoder.encode(
            [
                differs(odd, 2),
                differs("gone", 3),
                DiffRemoved(data=DiffRemovedPath(path="gone"), seq=4),
            ]
        ),
    )
    assert list(document["entries"]) == [odd]
    assert document["entries"][odd]["type"] == "DIFF"
    reported(document, encoder.encode([DiffResync(seq=5), differs("new", 6)]))
    assert list(document["entries"]) == ["new"]
    assert list(encoder.encode([DiffReady(seq=7)])) == []


def test_of_changes_to_one_record_none_is_lost_in_a_frame() -> None:
    def change(kind: str, key: str, state: int) -> Change:
        return Change(position=1, kind=kind, key=key, data=encode({"id": key, "n": state}))

    encoder = PATCHES.tasks()
    rows = Snapshot(1, encode([{"id": "a", "n": 0}]))
    changes = [
        change("task_created", "b", 1),
        change("task_updated", "b", 2),
        change("task_updated", "a", 3),
        change("task_deleted", "a", 4),
    ]
    messages = list(encoder.encode([rows, *changes]))
    assert len(messages) == 4
    assert reported({"tasks": {}}, messages) == {"tasks": {"b": {"id": "b", "n": 2}}}


async def read(connection: Any, empty: Any) -> tuple[Any, int]:
    """The document at the end of a stream, and the code with which it was closed."""
    last: Any = None
    while True:
        try:
            message = await connection.get_message()
        except ConnectionClosed as closed:
            code = closed.reason.code if closed.reason is not None else 0
            break
        last = json.loads(message)
        if last != FINISHED:
            reported(empty, [message])
    assert last == FINISHED
    return empty, code


async def test_the_format_is_chosen_by_prefix_or_by_query_and_knows_no_positions(
    server: Server,
) -> None:
    id, tape = server.services.logs.tape()
    tape.add(*chunks(b"one\n", b"two\n"), *chunks(b"!", stream=Stream.STDERR, first=2))
    tape.end()
    path = f"/api/execution-processes/{id}/raw-logs/ws?after=1"
    for asked in (f"/vk{path}", f"{path}&format=patch", f"/vk{path}&format=nonsense&batch=x"):
        async with server.websocket(asked) as ws:
            document, code = await read(ws, {"entries": []})
        assert code == 1000
        assert [(e["type"], e["content"]) for e in document["entries"]] == [
            ("STDOUT", "one\n"),
            ("STDOUT", "two\n"),
            ("STDERR", "!"),
        ]


async def test_events_are_operations_in_this_format(server: Server) -> None:
    project = await server.project()
    await server.process(await server.attempt())
    task = await server.task(project.id)
    await server.store.write(lambda tx: tasks.delete(tx, task.id, "2025-01-01T00:00:00.000Z"))
    for path in ("/vk/api/events?after=0", "/api/events?after=0&format=patch"):
        operations = []
        with trio.fail_after(20):
            async with server.client.stream("GET", path) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("event:"):
                        assert line == "event: json_patch"
                    if line.startswith("data: "):
                        operations += json.loads(line.removeprefix("data: "))
                        if operations[-1]["op"] == "remove":
                            break
        assert operations[-1] == {"op": "remove", "path": f"/tasks/{task.id}"}
        kinds = {operation["path"].split("/")[1] for operation in operations}
        assert kinds == {"tasks", "execution_processes"}


async def test_the_end_of_a_log_lets_the_news_of_its_process_pass(server: Server) -> None:
    id = await server.process(await server.attempt())
    tape = server.services.logs.tapes[id] = Tape()
    tape.add(*chunks(b"one\n"))
    async with server.websocket(f"/vk/api/execution-processes/{id}/raw-logs/ws") as ws:
        reported({"entries": []}, [await ws.get_message()])
        await server.end_process(id)
        began = trio.current_time()
        tape.end()
        seen = []
        while (message := json.loads(await ws.get_message())) != FINISHED:
            # It looks at the process with each frame, and draws slowly: so once more, and later.
            assert message == {"JsonPatch": []}
            seen.append(trio.current_time() - began)
    assert seen[0] >= STATUS_FIRST_SECONDS
    assert len(seen) >= 3
    assert seen[-1] >= 4 * seen[0], "later and later"


async def test_a_log_that_is_opened_after_the_end_has_its_own_end_soon(server: Server) -> None:
    id = await server.process(await server.attempt())
    tape = server.services.logs.tapes[id] = Tape()
    tape.end()
    moment = timestamp(time.time() - 4)
    await server.end_process(id, moment)
    began = trio.current_time()
    async with server.websocket(f"/vk/api/execution-processes/{id}/raw-logs/ws") as ws:
        frames = [json.loads(await ws.get_message())]
        while frames[-1] != FINISHED:
            frames.append(json.loads(await ws.get_message()))
    assert frames == [{"JsonPatch": []}, FINISHED]
    assert trio.current_time() - began < 3 * STATUS_FIRST_SECONDS


@pytest.mark.parametrize("known", ["in the snapshot", "by a change"])
async def test_a_run_that_is_over_at_once_is_seen_running_first(server: Server, known: str) -> None:
    attempt = await server.attempt()
    path = f"/vk/api/execution-processes/stream/ws?task_attempt_id={attempt}"
    id = await server.process(attempt) if known == "in the snapshot" else None
    async with server.websocket(path) as ws:
        document: Any = {"execution_processes": {}}
        reported(document, [await ws.get_message()])
        if id is None:
            id = await server.process(attempt)
            reported(document, [await ws.get_message()])
        arrived = trio.current_time()
        row = document["execution_processes"][id]
        assert row["status"] == "running"
        tape = server.services.logs.tapes[id] = Tape()
        await server.end_process(id)
        tape.end()
        async with server.websocket(f"/vk/api/execution-processes/{id}/raw-logs/ws") as log:
            reported(document, [await ws.get_message()])
            ended = trio.current_time()
            assert document["execution_processes"][id]["status"] != "running"
            assert ended - arrived >= RUNNING_FIRST_SECONDS * 0.9  # it was sent a little earlier
            # The log ends after that; a margin for what this test needs itself.
            assert json.loads(await log.get_message()) == {"JsonPatch": []}
            assert trio.current_time() - ended >= STATUS_FIRST_SECONDS * 0.5
        again = await server.process(attempt)
        began = trio.current_time()
        reported(document, [await ws.get_message()])
        assert document["execution_processes"][again]["status"] == "running"
        assert trio.current_time() - began < RUNNING_FIRST_SECONDS, "a start is told at once"


async def test_a_run_that_has_ended_long_ago_is_told_at_once(server: Server) -> None:
    attempt = await server.attempt()
    id = await server.process(attempt)
    await server.end_process(id)
    path = f"/vk/api/execution-processes/stream/ws?task_attempt_id={attempt}"
    began = trio.current_time()
    async with server.websocket(path) as ws:
        document: Any = {"execution_processes": {}}
        reported(document, [await ws.get_message()])
    assert document["execution_processes"][id]["status"] != "running"
    assert trio.current_time() - began < RUNNING_FIRST_SECONDS


async def test_who_reads_a_log_slowly_is_not_cut_off_in_this_wire_format(tmp_path: Path) -> None:
    async with open_server(tmp_path, stall=0.2) as server:
        id, tape = server.services.logs.tape()
        text = b"x" * 200_000
        tape.add(*chunks(*[text] * 200))
        tape.end()
        path = f"/api/execution-processes/{id}/raw-logs/ws"
        with trio.fail_after(60):
            async with _Stalled(server, f"/vk{path}") as stream:
                # Long after a reader of the plain stream has been cut off, this one is served.
                await _cut_off(server, path)
                received = 0
                end = b'{"finished":true}'
                tail = b""
                while end not in tail:
                    data = await stream.receive_some(1 << 16)
                    assert data, "the stream ended before it was finished"
                    received += len(data)
                    tail = (tail + data)[-2 * len(end) - 200 :]
        assert received > 200 * 200_000


class _Stalled:
    """A WebSocket whose reader has read its head and then nothing."""

    def __init__(self, server: Server, path: str) -> None:
        self._house = server
        self._path = path

    async def __aenter__(self) -> trio.SocketStream:
        self.stream = await self._house.raw(
            f"GET {self._path} HTTP/1.1\nHost: localhost\nUpgrade: websocket\n"
            "Connection: Upgrade\nSec-WebSocket-Version: 13\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
        )
        assert (await self.stream.receive_some(12)) == b"HTTP/1.1 101"
        return self.stream

    async def __aexit__(self, *_: object) -> None:
        await self.stream.aclose()


async def _cut_off(server: Server, path: str) -> None:
    """Wait until a second reader that reads nothing has been cut off."""
    (tape,) = server.services.logs.tapes.values()
    await until(lambda: tape.followers == 1)
    async with _Stalled(server, path):
        await until(lambda: tape.followers == 2)
        await until(lambda: tape.followers == 1)


async def test_drafts_have_a_place_for_every_attempt(server: Server) -> None:
    id = await server.attempt()
    project_id = await server.store.read(lambda r: attempts.place(r, id).project_id)
    path = f"/vk/api/drafts/stream/ws?project_id={project_id}"
    async with server.websocket(path) as ws:
        document = reported({"drafts": {}}, [await ws.get_message()])
    place = document["drafts"][id]
    assert (place["retry"], place["follow_up"]["version"]) == (None, 0)
    assert place["follow_up"]["task_attempt_id"] == id
