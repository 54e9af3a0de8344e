"""Streams through a WebSocket: in batches, holding nobody up, to a clear end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any, TypeVar

import trio

from anyond.http.answer.refusal import incident, refused
from anyond.http.streaming.encoders import Encoder, Snapshot
from anyond.http.streaming.gathering import Gathering
from anyond.http.streaming.socket import Socket
from anyond.http.wire.turns import Turns

T = TypeVar("T")

GATHER_S = 0.006
"""The debounce of a stream: items gather so long, so that many small ones cost little."""
_BATCH_BYTES = 32 * 1024
_LARGE = 1024**2
"""Bytes of a snapshot that is put into words beside the loop."""

_endings = Turns()

gathering = Gathering(GATHER_S)
"""The debounce of all streams that have none of their own."""

_NORMAL = 1000
_GOING_AWAY = 1001
POLICY_VIOLATION = 1008
_FAILED = 1011
_REASON_BYTES = 123
"""So much of a reason goes into a close frame."""


async def send(
    socket: Socket,
    source: AsyncIterator[Sequence[T]],
    encoder: Encoder[T],
    closing: trio.Event,
    gathers: bool = True,
) -> None:
    """Accept the WebSocket and send `source` to it until either has an end.

    The close code tells why: 1000 after the stream's own end, 1001 when the daemon stops, 1011 if
    it could not go on, with the reason. A client that stalls is cut off by the connection, without
    a code, since there is no room left for one. What clients send is ignored.

    Args:
        socket: not accepted yet.
        source: batches of items; a slow client makes it wait, nobody else.
        encoder: how this client wants them.
        closing: set when the daemon stops.
        gathers: whether there is a pause after a small message; not for what is gathered before.
    """
    await socket.accept()
    code, reason = _GOING_AWAY, ""
    async with _closing(source), trio.open_nursery() as nursery:
        nursery.start_soon(_ignore_messages, socket, nursery.cancel_scope)
        nursery.start_soon(_stop_when, closing, nursery.cancel_scope)
        try:
            await _pump(socket, source, encoder, gathers)
            code = _NORMAL
        except Exception as error:
            refusal = refused(error)
            text = str(refusal) if refusal else incident(error, "WEBSOCKET", socket.path)
            code, reason = _FAILED, _cut(text)
        nursery.cancel_scope.cancel()
    if not socket.left:
        await socket.close(code, reason)


def _cut(reason: str) -> str:
    return reason.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore")


async def _pump(
    socket: Socket, source: AsyncIterator[Sequence[T]], encoder: Encoder[T], gathers: bool
) -> None:
    async for items in source:
        sizes: list[int] = []
        messages = encoder.encode(items)
        if any(isinstance(item, Snapshot) and len(item.rows) > _LARGE for item in items):
            # Each of its copies takes its time; between two of them, others run.
            messages = await trio.to_thread.run_sync(list, messages)
        await socket.send_all(_counted(messages, sizes))
        if sum(sizes) >= _BATCH_BYTES:
            # Once the peer is gone, sending returns without ever giving way to its cancellation.
            await trio.lowlevel.checkpoint()
        elif gathers:
            await gathering.pause()
    await socket.send_each(encoder.end())  # wire formats hold the end back


def _counted(messages: Iterable[bytes], sizes: list[int]) -> Iterator[bytes]:
    for message in messages:
        sizes.append(len(message))
        yield message


async def _ignore_messages(socket: Socket, scope: trio.CancelScope) -> None:
    """Unread messages would fill a queue, and then the news that the client left stay outside."""
    while await socket.receive():
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def _stop_when(closing: trio.Event, scope: trio.CancelScope) -> None:
    await closing.wait()
    await _endings.take()
    scope.cancel()


def _closing(source: AsyncIterator[Any]) -> AbstractAsyncContextManager[Any]:
    """Generators must be closed by those who iterate them; other iterators cannot be."""
    return aclosing(source) if hasattr(source, "aclose") else nullcontext(source)
