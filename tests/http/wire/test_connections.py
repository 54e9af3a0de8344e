"""What hangs on a connection never holds up another one, nor the end."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from anyond.http.wire.listeners import listen
from anyond.http.wire.server import serve
from tests.support.http.front_door import Server, chunks, open_server, read_all, until
from tests.support.http.raw_requests import head, upgrade

HELLO = "GET /health HTTP/1.1\nHost: localhost\n\n"


async def stalled_reader(server: Server) -> trio.SocketStream:
    """A client that asked for a long log and reads none of it."""
    id, tape = server.services.logs.tape()
    tape.add(*chunks(*[b"x" * 60_000] * 400))
    stream = await server.raw(upgrade(f"/api/execution-processes/{id}/raw-logs/ws"))
    await until(lambda: tape.followers == 1)
    return stream


async def test_an_idle_connection_is_closed_after_its_time(tmp_path: Path) -> None:
    async with open_server(tmp_path, keep_alive=0.2) as server:
        stream = await server.raw(HELLO)
        assert b'{"status":"ok"}' in await read_all(stream)  # it ends, so it was closed
        silent = await server.raw("")
        assert await read_all(silent) == b""


async def test_a_connection_serves_one_request_after_the_other(server: Server) -> None:
    stream = await server.raw(HELLO)
    for _ in range(3):
        assert (await head(stream, b'"ok"}')).startswith(b"HTTP/1.1 200")
        await stream.send_all(HELLO.replace("\n", "\r\n").encode())


async def test_an_answer_before_the_end_of_the_body_says_that_the_connection_ends(
    server: Server,
) -> None:
    early = "POST /api/nothing HTTP/1.1\nHost: localhost\nContent-Length: 4\n\n"
    stream = await server.raw(early)
    answer = await head(stream, b"}")
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in answer.lower()
    assert await read_all(stream) == b""
    stream = await server.raw(f"{early}null")
    answer = await head(stream, b"}")
    assert b"connection: close" not in answer.lower()
    await stream.send_all(HELLO.replace("\n", "\r\n").encode())
    assert (await head(stream, b'"ok"}')).startswith(b"HTTP/1.1 200")


async def test_everything_ends_soon_when_the_daemon_stops(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        idle = await server.raw(HELLO)
        await head(idle, b'"ok"}')
        stalled = await stalled_reader(server)
        events = await server.raw("GET /api/events HTTP/1.1\nHost: localhost\n\n")
        await head(events)
        project = await server.project()
        async with server.websocket(f"/api/tasks/stream/ws?project_id={project.id}") as tasks:
            await tasks.get_message()
            started = trio.current_time()
            server.services.closing.set()
            with pytest.raises(Exception, match="1001"):
                await tasks.get_message()
            assert tasks.closed is not None
            assert tasks.closed.code == 1001
    assert trio.current_time() - started < 1.5
    assert await read_all(idle) == b""
    assert (await read_all(events)).endswith(b"0\r\n\r\n")  # an end, not a cut
    await stalled.aclose()


async def test_a_cancelled_server_ends_soon_too(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        async with trio.open_nursery() as nursery:
            listener = listen("127.0.0.1:0")
            run = partial(serve, server.app, [listener], closing=trio.Event())
            (url,) = await nursery.start(run)
            port = int(url.rpartition(":")[2])
            idle = await trio.open_tcp_stream("127.0.0.1", port)
            await idle.send_all(HELLO.replace("\n", "\r\n").encode())
            await head(idle, b'"ok"}')
            started = trio.current_time()
            nursery.cancel_scope.cancel()
        assert trio.current_time() - started < 1.5
        assert await read_all(idle) == b""
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", port)


async def test_a_request_on_its_way_is_answered_before_the_end(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        entered = trio.Event()

        async def slow(id: str) -> None:
            entered.set()
            await trio.sleep(0.2)

        server.services.attempts.stop = slow
        id = (await server.project()).id
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                answer = await server.client.post(f"/api/task-attempts/{id}/stop")
                assert answer.status_code == 200

            nursery.start_soon(ask)
            await entered.wait()
            server.services.closing.set()


async def test_a_request_that_takes_for_ever_does_not(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        entered = trio.Event()

        async def endless(id: str) -> None:
            entered.set()
            await trio.sleep_forever()

        server.services.attempts.stop = endless
        id = (await server.project()).id
        stream = await server.raw(
            f"POST /api/task-attempts/{id}/stop HTTP/1.1\nHost: localhost\n\n"
        )
        await entered.wait()
        started = trio.current_time()
        server.services.closing.set()
    assert trio.current_time() - started < 1.5
    await stream.aclose()


async def test_a_stalled_reader_is_cut_off_and_nobody_waits_for_it(tmp_path: Path) -> None:
    async with open_server(tmp_path, stall=0.5) as server:
        stalled = await stalled_reader(server)
        tape = next(iter(server.services.logs.tapes.values()))
        for _ in range(20):
            with trio.fail_after(2):
                assert (await server.get("/health")).status_code == 200
        await until(lambda: tape.followers == 0)
        received = await read_all(stalled)
        assert 0 < len(received) < 400 * 60_000


async def test_a_slow_reader_that_goes_on_reading_is_not(tmp_path: Path) -> None:
    for attempt in count():
        (where := tmp_path / str(attempt)).mkdir()
        async with open_server(where, stall=1.0) as server:
            received, longest = await read_slowly(server)
        if longest < 0.5:
            break
        assert attempt < 9, "this machine never lets a reader read for 1.5 s without a long pause"
    assert received > 150 * 60_000


async def read_slowly(server: Server) -> tuple[int, float]:
    """Read slower than the stream is; how much came, and the longest time without a read."""
    id, tape = server.services.logs.tape()
    tape.add(*chunks(*[b"x" * 60_000] * 150))
    tape.end()
    stream = await server.raw(upgrade(f"/api/execution-processes/{id}/raw-logs/ws"))
    received, longest = 0, 0.0
    started = last = trio.current_time()
    with suppress(trio.BrokenResourceError):
        while data := await stream.receive_some(100_000):
            received += len(data)
            longest, last = max(longest, trio.current_time() - last), trio.current_time()
            if trio.current_time() - started < 1.5:
                await trio.sleep(0.05)
    return received, max(longest, trio.current_time() - last)


async def test_a_client_that_leaves_is_noticed_at_once(server: Server) -> None:
    id, tape = server.services.logs.tape()
    async with server.websocket(f"/api/execution-processes/{id}/raw-logs/ws"):
        await until(lambda: tape.followers == 1)
    await until(lambda: tape.followers == 0, 2)


def scope(kind: str, path: str) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "subprotocols": [],
        "extensions": {},
    }


async def test_a_client_that_leaves_while_it_is_told_something_is_nobodys_mistake(
    server: Server,
) -> None:
    id, tape = server.services.logs.tape()
    begun, gone = trio.Event(), trio.Event()

    async def receive() -> dict[str, Any]:
        if not begun.is_set():
            begun.set()
            return {"type": "websocket.connect"}
        await gone.wait()
        return {"type": "websocket.disconnect", "code": 1001}

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()

    path = f"/api/execution-processes/{id}/raw-logs/ws"
    with capture_logs() as reported:
        for _ in range(20):  # which of the two tasks goes first is up to chance
            begun, gone = trio.Event(), trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.app, scope("websocket", path), receive, send)
                await until(lambda: tape.followers == 1)
                await trio.testing.wait_all_tasks_blocked(0.01)
                gone.set()
                tape.add(*chunks(b"x"))
    assert reported == []


async def test_a_client_that_leaves_before_the_end_of_its_body_is_nobodys_mistake(
    server: Server,
) -> None:
    pieces: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"[", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    async def send(_: Any) -> None:
        raise AssertionError("nobody is there who could be answered")

    with capture_logs() as reported, trio.fail_after(10):
        await server.app(scope("http", "/api/tags"), receive, send)
    assert reported == []


async def test_a_client_that_is_gone_before_it_is_looked_at_is_nobodys_mistake(
    server: Server,
) -> None:
    port = int(server.url.rpartition(":")[2])
    with capture_logs() as reported:
        for _ in range(5):
            reset(socket.create_connection(("127.0.0.1", port)))
        assert (await server.client.get("/health")).status_code == 200
    assert reported == []


async def test_a_client_that_leaves_while_its_answer_is_made_is_nobodys_mistake() -> None:
    entered, gone = trio.Event(), trio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        with trio.CancelScope(shield=True):  # as a write is that must not be half done
            await gone.wait()
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise AssertionError("it was not cancelled")

    closing = trio.Event()
    with capture_logs() as reported, trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            run = partial(serve, app, [listen("127.0.0.1:0")], closing=closing)
            (url,) = await nursery.start(run)
            client = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
            client.sendall(HELLO.replace("\n", "\r\n").encode())
            await entered.wait()
            reset(client)
            await trio.testing.wait_all_tasks_blocked(0.05)
            gone.set()
            await trio.testing.wait_all_tasks_blocked(0.05)
            closing.set()
    assert reported == []


def reset(client: socket.socket) -> None:
    """Leave as a program does that is killed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


async def test_a_client_may_talk_though_nobody_listens(server: Server) -> None:
    id, tape = server.services.logs.tape()
    async with server.websocket(f"/api/execution-processes/{id}/raw-logs/ws") as ws:
        for _ in range(100):
            await ws.send_message("hello?")
        tape.add(*chunks(b"output"))
        assert "output" in await ws.get_message()
    await until(lambda: tape.followers == 0, 2)


async def test_websockets_are_pinged(tmp_path: Path) -> None:
    async with open_server(tmp_path, ping=0.05) as server:
        id, _ = server.services.logs.tape()
        stream = await server.raw(upgrade(f"/api/execution-processes/{id}/raw-logs/ws"))
        received = b""
        with trio.fail_after(10):
            while received.count(b"\x89\x00") < 3:
                received += await stream.receive_some(4096)
