"""Who has said all that it has to say, and closes its side, is answered all the same."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from anyond.http.wire.listeners import listen
from anyond.http.wire.peers import Peers
from anyond.http.wire.server import serve

BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
REQUESTS = [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", BODY + b"null"]


class App:
    """Answers when it is told to, or goes on for ever."""

    def __init__(self, kind: bytes = b"text/plain") -> None:
        self.kind = kind
        self.entered, self.go_on = trio.Event(), trio.Event()
        self.cancelled = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            self.entered.set()
            headers = [(b"content-type", self.kind)]
            if self.kind == b"text/event-stream":
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await self.go_on.wait()
            headers.append((b"content-length", b"500000"))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"y" * 500_000})
        except trio.Cancelled:
            self.cancelled = True
            raise


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[trio.SocketStream]:
    closing = trio.Event()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            run = partial(serve, app, [listen("127.0.0.1:0")], closing=closing, peers=Peers())
            (url,) = await nursery.start(run)
            client = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
            async with client:
                yield client
            closing.set()


async def everything(client: trio.SocketStream) -> bytes:
    return b"".join([piece async for piece in client])


@pytest.mark.parametrize("request_", REQUESTS, ids=["without a body", "with a body"])
async def test_a_whole_request_is_answered_though_nothing_more_will_come(request_: bytes) -> None:
    app = App()
    async with serving(app) as client:
        await client.send_all(request_)
        await client.send_eof()
        await app.entered.wait()
        await trio.testing.wait_all_tasks_blocked(0.05)
        app.go_on.set()
        answer = await everything(client)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"y" * 500_000)
    assert not app.cancelled


async def test_a_stream_without_end_ends_with_its_listener() -> None:
    app = App(b"text/event-stream")
    async with serving(app) as client:
        await client.send_all(REQUESTS[0])
        await app.entered.wait()
        await client.send_eof()
        await everything(client)
    assert app.cancelled


async def test_half_a_request_is_refused() -> None:
    app = App()
    async with serving(app) as client:
        await client.send_all(BODY + b"nu")
        await client.send_eof()
        assert (await everything(client)).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("reset", [True, False])
async def test_who_is_gone_is_not_waited_for(reset: bool) -> None:
    app = App()
    async with serving(app) as client:
        await client.send_all(REQUESTS[0])
        await app.entered.wait()
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await client.aclose()
        while not app.cancelled:
            await trio.sleep(0.01)


@pytest.mark.parametrize("leaves", [False, True], ids=["listens", "has left"])
async def test_who_has_left_a_unix_socket_holds_nothing_up(tmp_path: Path, leaves: bool) -> None:
    app = App()
    closing = trio.Event()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            run = partial(serve, app, [listen(f"unix:{tmp_path / 's'}")], closing=closing)
            await nursery.start(run)
            client = await trio.open_unix_socket(str(tmp_path / "s"))
            await client.send_all(REQUESTS[0])
            await app.entered.wait()
            if leaves:
                await client.aclose()
                while not app.cancelled:
                    await trio.sleep(0.01)  # looked at again, until the deadline
            else:
                await client.send_eof()
                await trio.testing.wait_all_tasks_blocked(0.05)
                app.go_on.set()
                assert (await everything(client)).startswith(b"HTTP/1.1 200")
            closing.set()
    assert app.cancelled is leaves
