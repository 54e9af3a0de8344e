"""What is no request, or an odd one, is refused in words, and large ones in time."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from tests.support.http.front_door import Server, read_all
from tests.support.http.raw_requests import head, upgrade


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
    reported = b'"message":"The first line and the headers must not exceed 32 KiB."}'
    assert (await head(stream, reported)).startswith(b"HTTP/1.1 431")


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
    with capture_logs() as reported:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(asked.replace("\n", "\r\n").encode("latin-1"))
        assert (await head(stream, b"\r\n")).startswith(b"HTTP/1.1 4")
    assert reported == []


async def test_a_refused_head_gets_no_body(server: Server) -> None:
    odd = "X-Odd: " + "x" * 40_000
    with capture_logs() as reported:
        stream = await server.raw(f"HEAD /health HTTP/1.1\nHost: localhost\n{odd}\n\n")
        answer = await read_all(stream)
    assert answer.startswith(b"HTTP/1.1 431")
    assert answer.endswith(b"\r\n\r\n")
    assert reported == []


@pytest.mark.parametrize("name", ["Protocol", "Extensions", "Key", "Version"])
async def test_an_odd_handshake_is_answered_and_nobodys_mistake(server: Server, name: str) -> None:
    asked = upgrade("/api/events/ws").replace("\n\n", f"\nSec-WebSocket-{name}: \xff, \xe9\n\n")
    port = int(server.url.rpartition(":")[2])
    with capture_logs() as reported:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(asked.replace("\n", "\r\n").encode("latin-1"))
        answer = await head(stream, b"\r\n")
        # A second key, and offers that nobody understands, keep a WebSocket from nothing.
        accepted = b"101" if name in {"Key", "Extensions"} else b"4"
        assert answer.startswith(b"HTTP/1.1 " + accepted)
    assert reported == []


@pytest.mark.parametrize("sent", ["", "[", "5\n[1,2"])
async def test_a_body_that_ends_too_early_is_refused(server: Server, sent: str) -> None:
    kind = "Transfer-Encoding: chunked" if sent.startswith("5") else "Content-Length: 100"
    post = "POST /api/tags HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
    with capture_logs() as reported:
        stream = await server.raw(f"{post}{kind}\n\n{sent}")
        await stream.send_eof()
        answer = await read_all(stream)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"body: ended before it was complete" in answer
    assert reported == []


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
