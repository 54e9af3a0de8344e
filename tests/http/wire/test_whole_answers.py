"""Answers in one piece, in several, and of applications that break off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio

from anyond.http.wire.listeners import listen
from anyond.http.wire.server import serve

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]}
App = Callable[[Any, Any, Any], Awaitable[None]]


async def answered(app: App, method: str = "GET", times: int = 1) -> bytes:
    """All that the connection says to so many requests."""
    closing = trio.Event()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            (url,) = await nursery.start(
                partial(serve, app, [listen("127.0.0.1:0")], closing=closing)
            )
            stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
            for left in reversed(range(times)):
                last = "" if left else "Connection: close\r\n"
                await stream.send_all(f"{method} / HTTP/1.1\r\nHost: x\r\n{last}\r\n".encode())
            said = b"".join([piece async for piece in stream])
            closing.set()
    return said


async def whole(_: Any, __: Any, send: Any) -> None:
    await send(HEAD)
    await send({"type": "http.response.body", "body": b"kettle"})


async def in_pieces(_: Any, __: Any, send: Any) -> None:
    await send(HEAD)
    await send({"type": "http.response.body", "body": b"ket", "more_body": True})
    await send({"type": "http.response.body", "body": b"tle"})


@pytest.mark.parametrize("app", [whole, in_pieces])
async def test_many_answers_follow_each_other(app: App) -> None:
    said = await answered(app, times=3)
    assert said.count(b"HTTP/1.1 200") == 3
    assert said.count(b"\r\n\r\nkettle") == 3


async def test_a_whole_answer_is_one_piece() -> None:
    closing = trio.Event()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            (url,) = await nursery.start(
                partial(serve, whole, [listen("127.0.0.1:0")], closing=closing)
            )
            stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await stream.receive_some()).endswith(b"\r\n\r\nkettle")
            await stream.aclose()
            closing.set()


async def test_a_head_that_was_asked_for_comes_alone() -> None:
    said = await answered(whole, "HEAD")
    assert b"content-length: 6" in said
    assert said.endswith(b"\r\n\r\n")


async def test_who_ends_after_the_head_has_said_nothing() -> None:
    async def app(_: Any, __: Any, send: Any) -> None:
        await send(HEAD)

    assert (await answered(app)).startswith(b"HTTP/1.1 500")


async def test_nothing_is_said_after_the_end() -> None:
    refused: list[Exception] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await whole(scope, receive, send)
        try:
            await whole(scope, receive, send)
        except Exception as error:  # whatever the server thinks of it
            refused.append(error)

    said = await answered(app)
    assert said.count(b"kettle") == 1
    assert len(refused) == 1
