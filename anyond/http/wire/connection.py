"""How the bytes of one connection reach Hypercorn's protocol, and when the connection ends."""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import h11
import structlog
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Request, Response, StreamClosed
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import Handshake
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState
from hypercorn.utils import parse_socket_addr

from anyond.http.envelope import JSON, failure
from anyond.http.wire.fragments import FragmentingStream
from anyond.http.wire.partings import Partings
from anyond.http.wire.peers import NOBODY, Peers
from anyond.http.wire.readiness import Readiness
from anyond.http.wire.turns import Turns

_READ = 65536
_LINGER_SECONDS = 1.0
_HURRIED_SECONDS = 0.25
_STREAM_END_SECONDS = 1.0
_HALF_CLOSED_SECONDS = 60.0
_LOOK_SECONDS = 0.5  # how often it is seen whether who has closed one side has closed both
_CLOSE = 8  # the opcode of a close frame (RFC 6455)

PEER = "anyon.peer"
"""Under this name the ASGI state has who is at the other end, as `Peers.user` tells it."""

PATIENCE = "anyon.patience"
PARTING = "anyon.parting"
"""Under this name the ASGI state has what an application calls to have no reader cut off."""

log = structlog.get_logger("anyond.http")

_endings = Turns()


class Connection:
    """One accepted connection; takes the place of Hypercorn's own `TCPServer`.

    Hypercorn's own waits for ever for readers that have stalled, waits for its idle timer after
    the peer has gone, and starts two tasks per request for that timer. Here a write has a
    deadline that moves with every byte the peer takes, the idle time is the deadline of the read
    loop, and when either side is through, everything that works for the connection is cancelled.

    Args:
        stall: seconds in which a peer must take at least one byte of what is sent to it.
        readiness: what the socket is read by.
        peers: who tells whose connection it is; without, nobody is asked.
    """

    def __init__(
        self,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        stream: trio.SocketStream,
        *,
        stall: float,
        readiness: Readiness,
        peers: Peers | None = None,
        partings: Partings | None = None,
    ) -> None:
        self._app = app
        self._readiness = readiness
        self._partings = partings
        self._peers = peers
        self._config = config
        self._context = context
        self._stream = stream
        self._stall = stall
        self._hurried = False
        self.idle = True  # until there is a whole request
        self.idle_since = trio.current_time()
        self._peer_is_there = True
        self._said_last = False
        self._writing = trio.Lock()
        self._reading = trio.CancelScope()
        self._patience: trio.CancelScope | None = None

    async def run(self) -> None:
        """Serve it until it ends. Raises nothing but `trio.Cancelled`."""
        try:
            tasks = _Tasks()
            protocol = self._protocol(tasks)  # in here, since the peer may be gone already
            async with tasks:
                self._rest(True)
                with self._reading:
                    await self._read(protocol)
                if not self._peer_is_there:
                    self.hurry()
                    await _endings.take()
                tasks.cancel()
            await self._linger()
        except OSError:
            pass  # the peer vanished between two calls
        except Exception as error:
            # One connection's trouble must not reach the others.
            log.warning("connection failed", exc_info=error)
        finally:
            await trio.aclose_forcefully(self._stream)

    def hurry(self) -> None:
        """End soon: at once if idle, else when the answer is out; a stalled peer is cut off."""
        self._hurried = True
        if self.idle:
            self._reading.cancel()
        if self._patience is not None:
            soon = trio.current_time() + _HURRIED_SECONDS
            self._patience.deadline = min(self._patience.deadline, soon)

    def be_patient(self) -> None:
        """From now on the peer may take as long as it likes. What it does not take is not kept."""
        self._stall = math.inf

    def part_later(self) -> bool:
        """Leave the WebSocket open until all else has stopped; nothing is sent to it any more.

        Returns:
            Whether that is so; if not, it has to be closed as usual.
        """
        if self._partings is None or not self._peer_is_there or self._writing.locked():
            return False
        if not self._partings.keep(self._stream.socket.fileno()):
            return False
        self._abandon()
        return True

    def _protocol(self, tasks: TaskGroup) -> _Dialogue:
        sock = self._stream.socket
        return _Dialogue(
            self._app,
            self._config,
            self._context,
            tasks,
            ConnectionState(
                {PATIENCE: self.be_patient, PARTING: self.part_later, PEER: self._user()}
            ),
            False,
            parse_socket_addr(sock.family, sock.getpeername()),
            parse_socket_addr(sock.family, sock.getsockname()),
            self._deliver,
        )

    def _user(self) -> int | None:
        if self._peers is None:
            return None
        return self._peers.user(self._stream.socket)

    async def _read(self, protocol: _Dialogue) -> None:
        while True:
            data = await self._receive()
            if not data:
                await protocol.peer_ended()
                if self._peer_is_there and protocol.owes_answer:
                    # It may have said all that it has to say, and listen.
                    await self._wait_for_answer(protocol)
                self._peer_is_there = False
                return
            if protocol.is_farewell(data):
                await _endings.take()
            await protocol.handle(RawData(data))

    async def _wait_for_answer(self, protocol: _Dialogue) -> None:
        """Until it is out, the peer turns out to have left, or that takes too long."""
        end = trio.current_time() + _HALF_CLOSED_SECONDS
        while trio.current_time() < end and self._user() != NOBODY:
            with trio.move_on_after(_LOOK_SECONDS):
                await protocol.answered.wait()
                return

    async def _receive(self) -> bytes:
        try:
            return await self._readiness.receive(self._stream.socket.fileno(), _READ)
        except OSError:
            self._peer_is_there = False
            return b""

    async def _deliver(self, event: Event) -> None:
        """What the protocol wants done to the connection."""
        match event:
            case RawData(data=data) if data:
                await self._write(data)
            case Closed():
                self._said_last = True
                self._reading.cancel()
            case Updated(idle=idle):
                self._rest(idle)

    def _rest(self, idle: bool) -> None:
        if idle and not self.idle:
            self.idle_since = trio.current_time()
        self.idle = idle
        limit = self._config.keep_alive_timeout if idle else math.inf
        self._reading.deadline = trio.current_time() + limit
        if idle and self._hurried:
            self._reading.cancel()

    async def _write(self, data: bytes) -> None:
        """Send all of `data`; shielded, since half a frame would spoil all that follow."""
        async with self._writing:
            left = memoryview(data)
            scope = self._patience = trio.CancelScope(shield=True, deadline=self._deadline())
            with scope:
                try:
                    while left and self._peer_is_there:
                        left = left[await self._stream.socket.send(left) :]
                        scope.deadline = self._deadline()
                except (OSError, trio.ClosedResourceError):
                    self._abandon()
            self._patience = None
            if scope.cancelled_caught:
                # There is no room for a close frame, so a reset has to do.
                self._stream.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self._abandon()

    def _deadline(self) -> float:
        return trio.current_time() + (_HURRIED_SECONDS if self._hurried else self._stall)

    def _abandon(self) -> None:
        self._peer_is_there = False
        self._reading.cancel()

    async def _linger(self) -> None:
        """Say that nothing more comes, and let the peer read to the end.

        Closing at once while the peer still sends would make its kernel throw away the answer.
        """
        if not (self._said_last and self._peer_is_there):
            return  # there is no answer on its way
        limit = _HURRIED_SECONDS if self._hurried else _LINGER_SECONDS
        deadline = trio.current_time() + limit
        with trio.CancelScope(shield=True, deadline=deadline) as self._patience:
            self._stream.socket.shutdown(socket.SHUT_WR)
            while await self._receive():
                pass


class _Tasks(TaskGroup):
    """The tasks that work for one connection."""

    def cancel(self) -> None:
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()


class _Dialogue(H11Protocol):
    """HTTP/1.1 and WebSockets without compression, and even its own refusals in the envelope.

    HTTP/2 is left out: nothing on a loopback socket gains by it, and it would be a second parser
    in front of everything.
    """

    _answered: trio.Event
    answered: trio.Event
    _begun = _cut_off = _bodiless = False

    async def _check_protocol(self, event: h11.Request) -> None:
        """Where Hypercorn would switch to HTTP/2."""

    async def _create_stream(self, request: h11.Request) -> None:
        self._answered = trio.Event()
        self.answered = trio.Event()
        self._begun = False
        self._bodiless = request.method == b"HEAD"
        if _head_size(request) > self.config.h11_max_incomplete_size:
            # h11 itself looks only at what is incomplete; this one came in one piece.
            await self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        websocket = _wants_websocket(request)
        if websocket:
            headers = [h for h in request.headers if h[0] != b"sec-websocket-extensions"]
            if not _is_handshake(headers, request.http_version.decode()):
                await self._refuse(
                    HTTPStatus.BAD_REQUEST, "The WebSocket's handshake is malformed."
                )
                return
            # Compression would cost 350 KB a connection, and Hypercorn accepts any offer of it.
            request = h11.Request(
                method=request.method,
                headers=headers,
                target=request.target,
                http_version=request.http_version,
            )
            await self._open_websocket(request)
        else:
            await super()._create_stream(request)
        if websocket:
            # What an eager client sends before its handshake is answered, Hypercorn would take
            # for an error, in the middle of the answer.
            await self._answered.wait()

    async def _open_websocket(self, request: h11.Request) -> None:
        """As Hypercorn does it, with a stream of ours."""
        assert isinstance(self.connection, h11.Connection)
        self.stream = FragmentingStream(
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
        self.connection = H11WSConnection(self.connection)
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1
        await self.context.mark_request()

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
        await super().stream_send(event)
        if isinstance(event, Response) and event.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self._answered.set()

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
        """Whether the peer closes its WebSocket, as a page does that is left: no small thing."""
        return isinstance(self.connection, H11WSConnection) and data[0] & 0x0F == _CLOSE

    @property
    def owes_answer(self) -> bool:
        """Whether a whole request has come whose answer is not out, and comes to an end."""
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


def _head_size(request: h11.Request) -> int:
    """Bytes of the first line and the headers, as far as they are not fixed."""
    fields = sum(len(name) + len(value) + 4 for name, value in request.headers)
    return len(request.method) + len(request.target) + fields


def _is_handshake(headers: Sequence[tuple[bytes, bytes]], version: str) -> bool:
    """Whether a WebSocket may begin so. Hypercorn reads some of the headers as ASCII, unasked."""
    try:
        return bool(Handshake(list(headers), version).is_valid())
    except UnicodeDecodeError:
        return False


def _wants_websocket(request: h11.Request) -> bool:
    headers: dict[bytes, Any] = dict(request.headers)
    tokens = [token.strip() for token in headers.get(b"connection", b"").lower().split(b",")]
    upgrade = headers.get(b"upgrade", b"").strip().lower()
    return request.method.upper() == b"GET" and b"upgrade" in tokens and upgrade == b"websocket"
