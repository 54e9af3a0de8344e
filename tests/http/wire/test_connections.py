"""What hangs on a connection never holds up another one, nor the end."""

from __future__ import annotations

import os
import socket
import stat
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
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid
from tests.support.front_door import Server, chunks, open_server, read_all, until

HELLO = "GET /health HTTP/1.1\nHost: localhost\n\n"


def upgrade(path: str) -> str:
    return (
        f"GET {path} HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\nSec-WebSocket-Version: 13\n\n"
    )


async def head(stream: trio.SocketStream, end: bytes = b"\r\n\r\n") -> bytes:
    received = b""
    with trio.fail_after(10):
        while end not in received:
            received += await stream.receive_some(4096)
    return received


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
    with capture_logs() as told:
        for _ in range(20):  # which of the two tasks goes first is up to chance
            begun, gone = trio.Event(), trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.app, scope("websocket", path), receive, send)
                await until(lambda: tape.followers == 1)
                await trio.testing.wait_all_tasks_blocked(0.01)
                gone.set()
                tape.add(*chunks(b"x"))
    assert told == []


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

    with capture_logs() as told, trio.fail_after(10):
        await server.app(scope("http", "/api/tags"), receive, send)
    assert told == []


async def test_a_client_that_is_gone_before_it_is_looked_at_is_nobodys_mistake(
    server: Server,
) -> None:
    port = int(server.url.rpartition(":")[2])
    with capture_logs() as told:
        for _ in range(5):
            reset(socket.create_connection(("127.0.0.1", port)))
        assert (await server.client.get("/health")).status_code == 200
    assert told == []


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
    with capture_logs() as told, trio.fail_after(10):
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
    assert told == []


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


async def test_compression_is_never_agreed_on(server: Server) -> None:
    id, _ = server.services.logs.tape()
    offer = "Sec-WebSocket-Extensions: permessage-deflate\n\n"
    request = upgrade(f"/api/execution-processes/{id}/raw-logs/ws").removesuffix("\n") + offer
    answer = await head(await server.raw(request))
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"extensions" not in answer.lower()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("nonsense\n\n", b"400"),
        ("GET / HTTP/1.1\nHost: localhost\nX: " + "x" * 300_000 + "\n\n", b"431"),
        (upgrade("/api/tasks/stream/ws").replace("Key: ", "Nokey: "), b"400"),
        (upgrade("/api/tasks/stream/ws").replace("Version: 13", "Version: 7"), b"400"),
        ("GET ?x HTTP/1.1\nHost: localhost\nConnection: close\n\n", b"400"),
        ("PRI * HTTP/2.0\n\n", b"4"),
    ],
)
async def test_what_is_no_request_is_refused_in_the_envelope(
    server: Server, request_: str, status: bytes
) -> None:
    stream = await server.raw(request_)
    answer = await head(stream, b'{"success":false,')
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert (await server.get("/health")).status_code == 200


async def test_a_head_that_is_too_large_is_refused_in_words(server: Server) -> None:
    stream = await server.raw("GET /health?" + "x" * 300_000 + " HTTP/1.1\nHost: localhost\n\n")
    told = b'"message":"The first line and the headers must not exceed 32 KiB."}'
    assert (await head(stream, told)).startswith(b"HTTP/1.1 431")


async def test_a_large_head_is_refused_also_if_it_comes_in_one_piece(server: Server) -> None:
    odd = "X-Odd: " + "x" * 40_000
    stream = await server.raw(f"GET /health HTTP/1.1\nHost: localhost\n{odd}\n\n")
    assert (await read_all(stream)).startswith(b"HTTP/1.1 431")


async def test_an_unknown_transfer_encoding_is_the_clients_mistake(server: Server) -> None:
    post = "POST /api/tags HTTP/1.1\nHost: localhost\nTransfer-Encoding: gzip, chunked\n\n"
    answer = await read_all(await server.raw(post))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"only chunked is understood" in answer


@pytest.mark.parametrize("name", ["get", "Get"])
async def test_a_handshake_is_one_however_its_method_is_spelled(server: Server, name: str) -> None:
    asked = (
        upgrade("/api/events/ws").replace("GET", name).replace("Upgrade\n", "Upgrade, \xe9\n", 1)
    )
    port = int(server.url.rpartition(":")[2])
    with capture_logs() as told:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(asked.replace("\n", "\r\n").encode("latin-1"))
        assert (await head(stream, b"\r\n")).startswith(b"HTTP/1.1 4")
    assert told == []


async def test_a_refused_head_gets_no_body(server: Server) -> None:
    odd = "X-Odd: " + "x" * 40_000
    with capture_logs() as told:
        stream = await server.raw(f"HEAD /health HTTP/1.1\nHost: localhost\n{odd}\n\n")
        answer = await read_all(stream)
    assert answer.startswith(b"HTTP/1.1 431")
    assert answer.endswith(b"\r\n\r\n")
    assert told == []


@pytest.mark.parametrize("name", ["Protocol", "Extensions", "Key", "Version"])
async def test_an_odd_handshake_is_answered_and_nobodys_mistake(server: Server, name: str) -> None:
    asked = upgrade("/api/events/ws").replace("\n\n", f"\nSec-WebSocket-{name}: \xff, \xe9\n\n")
    port = int(server.url.rpartition(":")[2])
    with capture_logs() as told:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(asked.replace("\n", "\r\n").encode("latin-1"))
        assert (await head(stream, b"\r\n")).startswith(b"HTTP/1.1 4")
    assert told == []


@pytest.mark.parametrize("sent", ["", "[", "5\n[1,2"])
async def test_a_body_that_ends_too_early_is_refused(server: Server, sent: str) -> None:
    kind = "Transfer-Encoding: chunked" if sent.startswith("5") else "Content-Length: 100"
    post = "POST /api/tags HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
    with capture_logs() as told:
        stream = await server.raw(f"{post}{kind}\n\n{sent}")
        await stream.send_eof()
        answer = await read_all(stream)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"body: ended before it was complete" in answer
    assert told == []


async def test_a_body_that_is_too_large_is_refused_and_the_answer_arrives(server: Server) -> None:
    stream = await server.raw(
        "POST /api/projects HTTP/1.1\nHost: localhost\nContent-Length: 50000000\n\n"
    )
    async with trio.open_nursery() as nursery:

        async def send() -> None:
            for _ in range(50):
                try:
                    await stream.send_all(b"x" * 1_000_000)
                except trio.BrokenResourceError:
                    return  # the server need not take it all

        nursery.start_soon(send)
        answer = await head(stream, b'"message":"body: is larger than 4 MiB"}')
        assert answer.startswith(b"HTTP/1.1 413")
        nursery.cancel_scope.cancel()


async def test_a_body_of_unknown_size_is_refused_as_soon_as_it_is_too_large(server: Server) -> None:
    stream = await server.raw(
        "POST /api/tags HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
        "Transfer-Encoding: chunked\n\n"
    )
    # And no end of it.
    with trio.fail_after(10):
        for _ in range(5):
            await stream.send_all(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
    assert (await head(stream)).startswith(b"HTTP/1.1 413")


async def test_a_socket_that_was_handed_over_is_served(tmp_path: Path) -> None:
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        given.listen()
        port = given.getsockname()[1]
        number = os.dup(given.fileno())
    async with open_server(tmp_path, address=f"fd://{number}") as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert not os.get_inheritable(number)
        assert (await server.get("/health")).json() == {"status": "ok"}


async def test_clients_are_told_an_address_that_they_can_go_to() -> None:
    for every, one in (("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")):
        try:
            listener = listen(f"{every}:0")
        except Unavailable:
            continue  # this machine has no IPv6
        host, _, port = listener.url.rpartition(":")
        listener.close()
        assert (host, port.isdigit()) == (f"http://{one}", True)


async def test_a_unix_socket_is_private_and_goes_away_with_the_daemon(tmp_path: Path) -> None:
    path = tmp_path / "anyon.sock"
    async with open_server(tmp_path, address=f"unix:{path}") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await server.get("/health", host="anything")).json() == {"status": "ok"}
        with pytest.raises(Unavailable, match="Somebody else listens"):
            listen(f"unix:{path}")
    assert not path.exists()


async def test_only_a_socket_that_nobody_listens_at_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "anyon.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    listen(f"unix:{path}").close()
    path.write_text("precious")
    with pytest.raises(Unavailable, match="in the way"):
        listen(f"unix:{path}")
    assert path.read_text() == "precious"


async def test_an_address_that_is_taken_is_refused_in_words() -> None:
    first: Any = listen("127.0.0.1:0")
    with pytest.raises(Unavailable, match=r"Somebody else listens at 127\.0\.0\.1"):
        listen(first.url.removeprefix("http://"))
    first.close()
    with pytest.raises(Invalid, match="is not host:port"):
        listen("somewhere")
