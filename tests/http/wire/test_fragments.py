"""A large message of a WebSocket goes out piece by piece, and arrives as one."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
import trio
from hypercorn.protocol.ws_stream import ASGIWebsocketState
from trio_websocket import open_websocket_url
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from anyond.http.streaming import streams
from anyond.http.streaming.encoders import Snapshot
from anyond.http.streaming.socket import Socket
from anyond.http.wire import connection as wire
from anyond.http.wire.fragments import FRAGMENT, FragmentingStream
from anyond.http.wire.listeners import listen
from anyond.http.wire.server import serve

LARGE = '{"text":"' + "é\U0001f600x" * FRAGMENT + '"}'


@pytest.mark.parametrize("text", ["", "short", "x" * FRAGMENT, "x" * (FRAGMENT + 1), LARGE])
async def test_a_client_gets_the_message_that_was_sent(text: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for some in (text, "last"):
            await send({"type": "websocket.send", "text": some})
        await send({"type": "websocket.close", "code": 1000})

    closing = trio.Event()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            run = partial(serve, app, [listen("127.0.0.1:0")], closing=closing)
            (url,) = await nursery.start(run)
            address = url.replace("http", "ws", 1)
            async with open_websocket_url(address, max_message_size=1 << 24) as client:
                assert await client.get_message() == text
                assert await client.get_message() == "last"
            closing.set()


def connected(write: Callable[[bytes], Awaitable[None]]) -> Any:
    """A stream whose handshake is over."""
    stream: Any = object.__new__(FragmentingStream)

    async def send(event: Any) -> None:
        await write(event.data)

    stream.connection, stream.send, stream.stream_id = Connection(ConnectionType.SERVER), send, 1
    stream.closed, stream.state, stream._write = False, ASGIWebsocketState.CONNECTED, write
    return stream


async def test_no_piece_is_large_and_a_ping_goes_between() -> None:
    sent: list[bytes] = []

    async def write(data: bytes) -> None:
        sent.append(data)
        if len(sent) == 2:
            await stream._send_wsproto_event(Ping())

    stream = connected(write)
    await stream._send_wsproto_event(TextMessage(data=LARGE))
    assert max(map(len, sent)) <= FRAGMENT + 16
    assert len(sent) == len(LARGE.encode()) // FRAGMENT + 2
    for piece in sent:
        head = {126: 4, 127: 10}.get(piece[1], 2)
        piece[head:].decode()  # no character is cut in two
    heard = Connection(ConnectionType.CLIENT)
    heard.receive_data(b"".join(sent))
    events = list(heard.events())
    assert "".join(e.data for e in events if isinstance(e, TextMessage)) == LARGE
    assert sum(isinstance(e, Ping) for e in events) == 1


async def test_short_messages_go_out_together_and_none_when_it_is_closed() -> None:
    sent: list[bytes] = []

    async def write(data: bytes) -> None:
        sent.append(data)

    stream = connected(write)
    texts = ["", "one", "\U0001f600" * 40, "x" * 70_000]
    await stream.send_texts(text.encode() for text in texts)
    assert len(sent) == 1
    heard = Connection(ConnectionType.CLIENT)
    heard.receive_data(sent[0])
    assert [e.data for e in heard.events() if isinstance(e, TextMessage)] == texts
    stream.connection.send(CloseConnection(code=1000))
    await stream.send_texts([b"late"])
    stream.connection, stream.closed = Connection(ConnectionType.SERVER), True
    await stream.send_texts([b"later"])
    assert len(sent) == 1


async def test_a_large_snapshot_is_put_into_words_beside_the_loop() -> None:
    threads: list[int] = []

    class Telling:
        def encode(self, items: Sequence[Snapshot]) -> Iterator[bytes]:
            for item in items:
                threads.append(threading.get_ident())
                yield b"%d" % len(item.rows)

        def end(self) -> Iterable[bytes]:
            return ()

    async def source() -> AsyncIterator[list[Snapshot]]:
        yield [Snapshot(1, b"x" * (1 << 21))]
        yield [Snapshot(2, b"x")]

    sent: list[str] = []

    async def send(event: Any) -> None:
        if event["type"] == "websocket.send":
            sent.append(event["text"])

    await streams.send(
        Socket({"path": "/"}, trio.sleep_forever, send), source(), Telling(), trio.Event()
    )
    assert sent == [str(1 << 21), "1"]
    large, small = threads
    assert small == threading.get_ident() != large


async def test_others_run_between_two_pieces_that_there_is_room_for() -> None:
    passes = 0

    async def write(_: bytes) -> None:
        """Writes at once, as to a client that reads."""

    async def count() -> None:
        nonlocal passes
        while True:
            await trio.lowlevel.checkpoint()
            passes += 1

    stream = connected(write)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        await stream._send_wsproto_event(TextMessage(data="x" * 20 * FRAGMENT))
        nursery.cancel_scope.cancel()
    assert passes >= 15


async def test_nothing_is_written_for_whoever_is_cancelled_already() -> None:
    ours, theirs = trio.socket.socketpair()
    theirs_stream = trio.SocketStream(theirs)
    unused: Any = None
    async with theirs_stream, trio.SocketStream(ours) as stream:
        connection = wire.Connection(
            unused, unused, unused, stream, stall=30.0, readiness=unused, peers=None
        )
        with trio.CancelScope() as scope:
            scope.cancel()
            await connection._write(b"x" * (1 << 24))  # more than there is room for
        assert scope.cancelled_caught
        with pytest.raises(BlockingIOError):
            os.read(theirs.fileno(), 1)
