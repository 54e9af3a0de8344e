"""Following streams across connections that break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import trio
from msgspec import Struct
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    ConnectionTimeout,
    DisconnectionTimeout,
    HandshakeError,
    WebSocketConnection,
    open_websocket_url,
    wrap_client_stream,
)

from anyond.api.declaration.endpoint import EventStream, Stream
from anyond.client import messages
from anyond.client.address import Address
from anyond.client.connection import Connection
from anyond.client.errors import ClientError, StreamFailed
from anyond.client.events import Event, EventLines
from anyond.client.refusals import refusal
from anyond.client.waits import FIRST_WAIT_S, LONGEST_WAIT_S, QUIET_S

P = TypeVar("P", bound=Struct)
T = TypeVar("T")

_NORMAL, _FAILED = 1000, 1011
_LARGEST_MESSAGE = 256 * 1024**2


class Following(Generic[T]):
    """The messages of a stream, to be iterated by one reader."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[T | ClientError](64)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            found = await self._receive.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None
        if isinstance(found, ClientError):
            raise found
        return found

    async def put(self, item: T) -> None:
        """Hand over `item`; waits for a reader that is behind."""
        await self._send.send(item)

    async def end(self, error: ClientError | None = None) -> None:
        """Nothing more comes, for the reason `error` if it is not the stream's own end."""
        if error is not None:
            await self._send.send(error)
        await self._send.aclose()


async def follow_frames(
    connection: Connection, endpoint: Stream[Any], params: Struct, following: Following[Any]
) -> None:
    """Put all frames of the stream into `following`, until it ends."""
    seq: int | None = None
    connected, wait = False, FIRST_WAIT_S
    while True:
        frames = messages.Frames(endpoint)
        target = messages.request(endpoint, messages.resumed(params, seq)).target
        reason: Exception | None = None
        address = connection.address
        try:
            async with _websocket(address, target) as socket:
                connected = True
                while True:
                    for frame in frames.read(await _message(socket)):
                        await following.put(frame)
                        seq, wait = frame.seq, FIRST_WAIT_S
        except ConnectionClosed as closed:
            code = closed.reason.code if closed.reason is not None else None
            if frames.over or code == _NORMAL:
                return await following.end()
            if code == _FAILED:
                why = closed.reason.reason if closed.reason is not None else None
                return await following.end(StreamFailed(why or "The stream could not go on."))
            reason = closed
        except ConnectionRejected as refused:
            if refused.status_code < 500:
                error = refusal(refused.status_code, refused.body or b"")
                return await following.end(error)
            reason = refused
        except (HandshakeError, ConnectionTimeout, DisconnectionTimeout, OSError) as broken:
            reason = broken
        if not connected:
            return await following.end(connection.unanswered(reason))
        await trio.sleep(wait)
        await connection.relocate(address)
        wait = min(2 * wait, LONGEST_WAIT_S)


async def _message(socket: WebSocketConnection) -> str | bytes:
    """The next message; `OSError` if the other side gives no sign of life any more.

    What it sends to show that it lives never comes here, so it is asked.
    """
    while True:
        with trio.move_on_after(QUIET_S):
            message: str | bytes = await socket.get_message()
            return message
        with trio.move_on_after(QUIET_S) as answered:
            await socket.ping()
        if answered.cancelled_caught:
            raise TimeoutError("The daemon gives no sign of life.")


async def follow_events(
    connection: Connection,
    endpoint: EventStream[Any],
    params: Struct,
    following: Following[Event],
) -> None:
    """Put all events into `following`, until this is cancelled."""
    request = messages.request(endpoint, params)
    headers, wait, connected = dict(request.headers), FIRST_WAIT_S, False
    timeout = httpx.Timeout(QUIET_S)
    while True:
        lines = EventLines(endpoint)
        reason: Exception | None = None
        address = connection.address
        try:
            async with connection.http.stream(
                "GET", request.target, headers=headers, timeout=timeout
            ) as response:
                if 300 <= response.status_code < 500:
                    refused = refusal(response.status_code, await response.aread())
                    return await following.end(refused)
                async for line in response.aiter_lines():
                    connected = True
                    for event in lines.feed(line):
                        await following.put(event)
                        headers["Last-Event-ID"] = str(event.position)
                        wait = FIRST_WAIT_S
        except httpx.TransportError as error:
            reason = error
        if not connected:
            return await following.end(connection.unanswered(reason))
        await trio.sleep(wait)
        await connection.relocate(address)
        wait = min(2 * wait, LONGEST_WAIT_S)


@asynccontextmanager
async def _websocket(address: Address, target: str) -> AsyncIterator[WebSocketConnection]:
    headers = [
        (name.encode(), value.encode()) for name, value in messages.headers(address.token).items()
    ]
    if address.socket is None:
        url = "ws" + address.url.removeprefix("http") + target
        async with open_websocket_url(
            url, extra_headers=headers, max_message_size=_LARGEST_MESSAGE
        ) as socket:
            yield socket
        return
    try:
        async with _unix_websocket(address.socket, address.url, target, headers) as socket:
            yield socket
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from None  # the nursery is nobody's business


@asynccontextmanager
async def _unix_websocket(
    path: Path, url: str, target: str, headers: list[tuple[bytes, bytes]]
) -> AsyncIterator[WebSocketConnection]:
    async with await trio.open_unix_socket(str(path)) as stream, trio.open_nursery() as nursery:
        socket = await wrap_client_stream(
            nursery,
            stream,
            urlsplit(url).netloc,
            target,
            extra_headers=headers,
            max_message_size=_LARGEST_MESSAGE,
        )
        try:
            yield socket
        finally:
            nursery.cancel_scope.cancel()
