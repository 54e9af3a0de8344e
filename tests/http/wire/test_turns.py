"""Thousands of tasks that wake at once leave room for others."""

from __future__ import annotations

import itertools
import socket
from collections import Counter
from functools import partial
from typing import Any

import trio
import trio.testing

from anyond.http.wire import turns as http_turns
from anyond.http.wire.listeners import listen
from anyond.http.wire.server import serve
from anyond.http.wire.turns import Turns

MANY, AT_ONCE = 1000, 10
PAGES = 200
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FAREWELL = b"\x88\x82\0\0\0\0\x03\xe8"
"""A close frame with the code 1000 (RFC 6455)."""


async def test_others_run_between() -> None:
    turns, wake = Turns(AT_ONCE), trio.Event()
    done = 0
    seen: list[int] = []

    async def one() -> None:
        nonlocal done
        await wake.wait()
        await turns.take()
        done += 1

    async with trio.open_nursery() as nursery:
        for _ in range(MANY):
            nursery.start_soon(one)
        await trio.testing.wait_all_tasks_blocked()
        wake.set()
        while done < MANY:
            seen.append(done)
            await trio.lowlevel.checkpoint()
    steps = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert max(steps) <= 2 * AT_ONCE
    assert len(seen) > MANY / (3 * AT_ONCE)


async def test_whoever_is_alone_has_its_turn_at_once_and_a_cancelled_one_gives_it_back() -> None:
    turns = Turns(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await turns.take()
    assert scope.cancelled_caught
    with trio.fail_after(5):
        for _ in range(3):
            await turns.take()


async def test_pages_that_are_left_at_once_end_a_few_at_a_time() -> None:
    passes = 0
    ended: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        ended.append(passes)

    async def count() -> None:
        nonlocal passes
        while True:
            passes += 1
            await trio.lowlevel.checkpoint()

    closing = trio.Event()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            run = partial(serve, app, [listen("127.0.0.1:0")], closing=closing)
            (url,) = await nursery.start(run)
            port = int(url.rpartition(":")[2])
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(PAGES)]
            for client in clients:
                client.sendall(HANDSHAKE)
                client.setblocking(False)
            for client in clients:
                await trio.lowlevel.wait_readable(client)
                assert client.recv(4096).startswith(b"HTTP/1.1 101")
            nursery.start_soon(count)
            for client in clients:  # without a checkpoint: all of it comes at once
                client.sendall(FAREWELL)
            while len(ended) < PAGES:
                await trio.sleep(0.01)
            for client in clients:
                client.close()
            nursery.cancel_scope.cancel()
    assert max(Counter(ended).values()) <= 2 * http_turns.AT_ONCE
