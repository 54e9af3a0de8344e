"""Answering requests straight from ASGI: JSON, Server-Sent Events and WebSockets.

Most of what a framework makes of a request (its context, its routing by expressions, the objects
for headers and cookies, tasks that wait for the client to leave) no such endpoint reads; it cost
more than the endpoint itself. Forms and files are the framework's, see `anyond.http.framework`.

A client that leaves cancels what works for it: its connection does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import trio

from anyond.http.answer.refusal import Refusal, cancelled, refusal
from anyond.http.request.body import ClientLeft, largest
from anyond.http.request.json_request import AsgiRequest, JsonAnswer
from anyond.http.routing import Found
from anyond.http.streaming import streams
from anyond.http.streaming.socket import Socket
from anyond.http.streaming.sse import Events
from anyond.http.views import EVENT_HEADERS, Answer, OwnEvents, Streamed
from anyond.http.wire.protocol import SEND_BODY


class Exchange(NamedTuple):
    """A request, its body and the way of its answer, as ASGI has them.

    Args:
        valid: cancels its block when the caller's token does not hold any more.
    """

    scope: Any
    receive: Any
    send: Any
    valid: Callable[[], AbstractContextManager[trio.CancelScope]]


async def answer(found: Found, exchange: Exchange, refused: list[Any], closing: trio.Event) -> None:
    """Have `found` answer the request, or say why not.

    Args:
        refused: gets the error with which it ended, if it did.
        closing: set when the daemon stops; it ends streams.
    """
    scope, receive, send, valid = exchange
    path = scope["path"]
    request = AsgiRequest(scope, receive, found.path_params, largest(path))
    try:
        made: Answer = await found.route.view(request)
    except ClientLeft:
        return
    except Exception as error:
        if cancelled(error):
            raise
        refused.append(error)
        if scope["type"] == "http":
            await request.finish()
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        await refuse(scope, send, refusal(error, method, path))
        return
    if scope["type"] == "http":
        await request.finish()
    match made:
        case JsonAnswer():
            await _send_json(send, made, head=scope["method"] == "HEAD")
        case Events() | OwnEvents():
            with valid() as holds:
                await _send_events(scope, send, made)
            if holds.cancelled_caught:
                await send({"type": "http.response.body", "body": b""})
        case Streamed(source, encoder, gathers):
            socket = Socket(scope, receive, send)
            with valid() as holds:
                await streams.send(socket, source, encoder, closing, gathers)
            if holds.cancelled_caught:
                await socket.close(streams.POLICY_VIOLATION, "The token does not hold any more.")
        case _:
            raise TypeError(f"{path} needs the framework")


async def refuse(
    scope: Any, send: Any, refused: Refusal, more: Mapping[str, str] | None = None
) -> None:
    """Send a refusal; a WebSocket gets it in the place of its upgrade.

    Args:
        more: headers beside its own.
    """
    kind = "websocket.http" if scope["type"] == "websocket" else "http"
    length = {"Content-Length": str(len(refused.body))}
    headers = raw({**refused.headers, **length, **(more or {})})
    body = b"" if scope.get("method") == "HEAD" else refused.body
    await send({"type": f"{kind}.response.start", "status": refused.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})


def raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers as ASGI has them."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]


async def _send_json(send: Any, made: JsonAnswer, *, head: bool) -> None:
    headers = raw(made.headers)
    if made.content_type is not None:
        headers.append((b"content-type", made.content_type.encode("latin-1")))
        headers.append((b"content-length", b"%d" % len(made.body)))
    body = b"" if head else made.body
    await send({"type": "http.response.start", "status": made.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_events(scope: Any, send: Any, events: Events | OwnEvents) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": raw(EVENT_HEADERS)})
    if scope["method"] != "HEAD":  # to which the answer would never end
        await events.send_to(scope["state"][SEND_BODY])
    await send({"type": "http.response.body", "body": b""})
