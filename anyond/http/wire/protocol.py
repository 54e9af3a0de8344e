"""The protocol of one connection: HTTP/1.1 and WebSockets, as Hypercorn and h11 understand them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import h11
import trio
from hypercorn.events import Closed, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Request, Response, StreamClosed
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import Handshake
from hypercorn.typing import ConnectionState

from anyond.http.answer.envelope import JSON, failure
from anyond.http.wire.fragments import SEND_TEXTS, FragmentingStream
from anyond.http.wire.whole_answers import AnswerStream

SEND_BODY = "anyon.send_body"
"""Under this name the ASGI state has what sends a piece of a body that has no length, after the
head of the answer: `send_body(data)`, as `http.response.body` with more to come."""

_STREAM_END_SECONDS = 1.0
_Headers = list[tuple[bytes, bytes]]
_CLOSE = 8  # the opcode of a close frame (RFC 6455)


class Protocol(H11Protocol):
    """HTTP/1.1 and WebSockets without compression, and even its own refusals in the envelope.

    HTTP/2 is left out: nothing on a loopback socket gains by it, and it would be a second parser
    in front of everything.
    """

    _answered: trio.Event
    answered: trio.Event
    _begun = _cut_off = _bodiless = _holding = False
    _held = b""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connection_state[SEND_BODY] = self._send_body

    async def _send_body(self, data: bytes) -> None:
        """Frame and write a piece of a body, without the layers that look at each of them.

        Like those it sends nothing when the answer is over or was cut off.
        """
        connection = self.connection
        if connection.our_state is not h11.SEND_BODY or self._cut_off or not data:
            await trio.lowlevel.checkpoint()
        elif (connection.their_http_version or b"") < b"1.1":
            await self.send(RawData(data))  # the end of the connection is the end of the body
        else:
            await self.send(RawData(b"%x\r\n%s\r\n" % (len(data), data)))

    async def _check_protocol(self, event: h11.Request) -> None:
        """Do nothing where Hypercorn would switch to HTTP/2."""

    async def _create_stream(self, request: h11.Request) -> None:
        self._answered = trio.Event()
        self.answered = trio.Event()
        self._begun = False
        self._bodiless = request.method == b"HEAD"
        headers = list(request.headers)
        if _head_size(request, headers) > self.config.h11_max_incomplete_size:
            # h11 itself looks only at what is incomplete; this one came in one piece.
            await self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        websocket = _wants_websocket(request, headers)
        if websocket:
            headers = [h for h in headers if h[0] != b"sec-websocket-extensions"]
            if not _is_handshake(headers, request.http_version.decode()):
                await self._refuse(
                    HTTPStatus.BAD_REQUEST, "The WebSocket's handshake is malformed."
                )
                return
            # Compression would cost 350 KB a connection, and Hypercorn accepts any offer of it.
            await self._open_websocket(request, headers)
            # What an eager client sends before its handshake is answered, Hypercorn would take
            # for an error, in the middle of the answer.
            await self._answered.wait()
        else:
            self.stream = AnswerStream(*self._of_stream(), send_whole=self._send_whole)
            await self._begin(request, headers, self.connection_state)

    async def _open_websocket(self, request: h11.Request, headers: _Headers) -> None:
        assert isinstance(self.connection, h11.Connection)
        stream = self.stream = FragmentingStream(*self._of_stream(), write=self._write)
        self.connection = H11WSConnection(self.connection)
        state = ConnectionState({**self.connection_state, SEND_TEXTS: stream.send_texts})
        await self._begin(request, headers, state)

    def _of_stream(self) -> tuple[Any, ...]:
        """The arguments of each stream of Hypercorn's."""
        return (
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )

    async def _begin(self, request: h11.Request, headers: _Headers, state: ConnectionState) -> None:
        """Give a request to its stream, as Hypercorn does it."""
        assert self.stream is not None
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=headers,
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=request.target,
                state=state,
            )
        )
        self.keep_alive_requests += 1
        await self.context.mark_request()

    async def _send_whole(self, status: int, headers: _Headers, body: bytes) -> None:
        """Send an answer in one piece, and make the connection ready for what comes next.

        Like its parts one by one it is nothing when something was said already, and when the
        other side is gone.
        """
        # Here ends an application that is not wanted any more; what comes after it is one step.
        await trio.lowlevel.checkpoint_if_cancelled()
        self._begun, self._cut_off = True, self._begun
        if not self._cut_off:
            connection = self.connection
            headers = [*headers, *self.config.response_headers("h11")]
            unread = connection.their_state is h11.SEND_BODY  # see `stream_send`
            if unread or self.keep_alive_requests >= self.config.keep_alive_max_requests:
                headers.append((b"connection", b"close"))
            try:
                data = connection.send(h11.Response(status_code=status, headers=headers))
                if body:
                    data += connection.send(h11.Data(data=body))
                data += connection.send(h11.EndOfMessage())
            except h11.LocalProtocolError:
                if connection.their_state != h11.ERROR:
                    raise
            else:
                await self.send(RawData(data))
        await self._maybe_recycle()

    async def _write(self, data: bytes) -> None:
        await self.send(RawData(data))

    async def stream_send(self, event: StreamEvent) -> None:
        if isinstance(event, Response) and _is_endless(event):
            self.answered.set()  # as far as it ever will be
        if isinstance(event, Response):
            # If there was a head already: the application was cancelled while that went out, so
            # it seems to Hypercorn to have said nothing, and what it says instead is too late.
            self._begun, self._cut_off = True, self._begun
        if self._cut_off and not isinstance(event, StreamClosed):
            return
        if isinstance(event, Response) and self.connection.their_state is h11.SEND_BODY:
            # Whoever is answered before its body is read cannot use the connection again; it has
            # to know, or its next request is lost.
            close = (b"connection", b"close")
            event = replace(event, headers=[*event.headers, close])
        if isinstance(event, Response):
            # A body follows at once: head and body are one piece, which costs one system call.
            self._holding = not self._bodiless and _has_length(event)
        await super().stream_send(event)
        if isinstance(event, Response) and event.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self._answered.set()

    async def _send_h11_event(self, event: Any) -> None:
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        # Each piece that is sent is where an application ends that is not wanted any more.
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._holding:
            self._holding, self._held = False, data
            return
        held, self._held = self._held, b""
        if held or data:
            await self.send(RawData(data=held + data))

    async def _maybe_recycle(self) -> None:
        # A peer that sends more than anybody reads has filled the queue of an application that
        # is gone; the news of the end must not wait for room in it.
        with trio.move_on_after(_STREAM_END_SECONDS):
            await self._close_stream()
        self.stream = None
        self._answered.set()
        self.answered.set()
        await super()._maybe_recycle()

    def is_farewell(self, data: bytes) -> bool:
        """Return whether the peer closes its WebSocket, as a page does that is left: no small
        thing.
        """
        return isinstance(self.connection, H11WSConnection) and data[0] & 0x0F == _CLOSE

    @property
    def owes_answer(self) -> bool:
        """True if a whole request has come whose answer is not out, and comes to an end."""
        whole = self.connection.their_state in {h11.DONE, h11.MUST_CLOSE}
        return whole and isinstance(self.stream, HTTPStream) and not self.answered.is_set()

    async def peer_ended(self) -> None:
        """The peer sends nothing more; what it has begun to send it will never finish."""
        if self.connection.their_state is h11.SEND_BODY and self.connection.our_state in {
            h11.IDLE,
            h11.SEND_RESPONSE,
        }:
            self._begun = self._cut_off = True  # so that nobody else answers
            await self._send_error_response(
                HTTPStatus.BAD_REQUEST, "body: ended before it was complete"
            )

    async def _refuse(self, status: int, message: str = "") -> None:
        """Answer a request that no application will see, and end the connection."""
        await self._send_error_response(status, message)
        await self.send(Closed())

    async def _send_error_response(self, status_code: int, message: str = "") -> None:
        if not message and status_code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            most = self.config.h11_max_incomplete_size // 1024
            message = f"The first line and the headers must not exceed {most} KiB."
        if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # What h11 knows of here is a Transfer-Encoding that nobody has to understand.
            status_code = HTTPStatus.BAD_REQUEST
            message = "Transfer-Encoding: only chunked is understood."
        body = failure(message or "The request is not HTTP as this server understands it.")
        headers = [
            (b"content-type", JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *self.config.response_headers("h11"),
        ]
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        if not self._bodiless:
            await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def _is_endless(response: Response) -> bool:
    return any(
        name == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in response.headers
    )


def _has_length(response: Response) -> bool:
    return response.status_code >= 200 and any(
        name == b"content-length" and value != b"0" for name, value in response.headers
    )


def _head_size(request: h11.Request, headers: _Headers) -> int:
    """Bytes of the first line and the headers, as far as they are not fixed."""
    fields = sum(len(name) + len(value) + 4 for name, value in headers)
    return len(request.method) + len(request.target) + fields


def _is_handshake(headers: Sequence[tuple[bytes, bytes]], version: str) -> bool:
    """Return whether a WebSocket may begin so. Hypercorn reads some of the headers as ASCII,
    unasked.
    """
    try:
        return bool(Handshake(list(headers), version).is_valid())
    except UnicodeDecodeError:
        return False


def _wants_websocket(request: h11.Request, headers: _Headers) -> bool:
    if request.method.upper() != b"GET":
        return False
    named = dict(headers)
    if named.get(b"upgrade", b"").strip().lower() != b"websocket":
        return False
    return b"upgrade" in [one.strip() for one in named.get(b"connection", b"").lower().split(b",")]
