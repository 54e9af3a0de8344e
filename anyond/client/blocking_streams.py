"""Following streams across connections that break, for programs without an event loop."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from http.client import HTTPException
from typing import Any, Generic, Self, TypeVar

from msgspec import Struct

from anyond.api.declaration.endpoint import EventStream, Stream
from anyond.client import messages
from anyond.client.blocking_connection import BlockingConnection
from anyond.client.errors import StreamFailed
from anyond.client.events import Event, EventLines
from anyond.client.refusals import refusal
from anyond.client.waits import FIRST_WAIT_S, LONGEST_WAIT_S, QUIET_S
from anyond.client.websocket import Closed, Rejected, WebSocket

T = TypeVar("T")

_NORMAL, _FAILED = 1000, 1011


class BlockingFollowing(Generic[T]):
    """The messages of a stream, to be iterated by one reader."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return next(self._items)


def follow_frames(
    connection: BlockingConnection, endpoint: Stream[Any], params: Struct
) -> Generator[Any, None, None]:
    """All frames of the stream, until it ends; raises as `Client.follow`."""
    seq: int | None = None
    connected, wait = False, FIRST_WAIT_S
    while True:
        frames = messages.Frames(endpoint)
        target = messages.request(endpoint, messages.resumed(params, seq)).target
        reason: Exception
        address = connection.address
        socket: WebSocket | None = None
        try:
            socket = WebSocket(address, target)
            connected = True
            while True:
                for frame in frames.read(socket.read()):
                    yield frame
                    seq, wait = frame.seq, FIRST_WAIT_S
        except Closed as closed:
            if frames.over or closed.code == _NORMAL:
                return
            if closed.code == _FAILED:
                raise StreamFailed(closed.reason or "The stream could not go on.") from closed
            reason = closed
        except Rejected as rejected:
            if rejected.status < 500:
                raise refusal(rejected.status, rejected.content) from rejected
            reason = rejected
        except OSError as broken:
            reason = broken
        finally:
            if socket is not None:
                socket.close()
        if not connected:
            raise connection.unanswered(reason)
        time.sleep(wait)
        connection.relocate(address)
        wait = min(2 * wait, LONGEST_WAIT_S)


def follow_events(
    connection: BlockingConnection, endpoint: EventStream[Any], params: Struct
) -> Generator[Event, None, None]:
    """All events, without an end."""
    request = messages.request(endpoint, params)
    headers, wait, connected = dict(request.headers), FIRST_WAIT_S, False
    while True:
        lines = EventLines(endpoint)
        reason: Exception | None = None
        address = connection.address
        try:
            with connection.open(request.target, headers, QUIET_S) as response:
                if 300 <= response.status < 500:
                    raise refusal(response.status, response.read())
                while line := response.readline():
                    connected = True
                    for event in lines.feed(line.decode("utf-8", "replace").rstrip("\r\n")):
                        yield event
                        headers["Last-Event-ID"] = str(event.position)
                        wait = FIRST_WAIT_S
        except (OSError, HTTPException) as error:
            reason = error
        if not connected:
            raise connection.unanswered(reason)
        time.sleep(wait)
        connection.relocate(address)
        wait = min(2 * wait, LONGEST_WAIT_S)
