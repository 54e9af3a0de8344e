"""One connection: its bytes to and from Hypercorn's protocol, its timeouts, and its end."""

from __future__ import annotations

import math
import os
import socket
import struct
from select import POLLHUP, poll
from socket import AF_UNIX

import structlog
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState
from hypercorn.utils import parse_socket_addr

from anyond.http.wire.origin import Origin
from anyond.http.wire.partings import Partings
from anyond.http.wire.peers import NOBODY, Peers
from anyond.http.wire.protocol import Protocol
from anyond.http.wire.readiness import Readiness
from anyond.http.wire.turns import Turns

_READ = 65536
_LINGER_SECONDS = 1.0
_HURRIED_SECONDS = 0.25
_HALF_CLOSED_SECONDS = 60.0
_LOOK_SECONDS = 0.5  # how often it is seen whether who has closed one side has closed both

PEER = "anyon.peer"
"""Under this name the ASGI state has who is at the other end, as `Peers.user` tells it."""

ORIGIN = "anyon.origin"
"""Under this name the ASGI state has the `Origin` of its connection, where that can be known."""

EXTEND_DEADLINE = "anyon.patience"
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
        self._sent_last = False
        self._writing = trio.Lock()
        self._reading = trio.CancelScope()
        self._deadline_scope: trio.CancelScope | None = None

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
                    self.hasten()
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

    def hasten(self) -> None:
        """End soon: at once if idle, else when the answer is out; a stalled peer is cut off."""
        self._hurried = True
        if self.idle:
            self._reading.cancel()
        if self._deadline_scope is not None:
            soon = trio.current_time() + _HURRIED_SECONDS
            self._deadline_scope.deadline = min(self._deadline_scope.deadline, soon)

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

    def _protocol(self, tasks: TaskGroup) -> Protocol:
        sock = self._stream.socket
        return Protocol(
            self._app,
            self._config,
            self._context,
            tasks,
            ConnectionState(
                {
                    EXTEND_DEADLINE: self.be_patient,
                    PARTING: self.part_later,
                    PEER: self._user(),
                    ORIGIN: None if self._peers is None else Origin(sock, self._peers),
                }
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

    async def _read(self, protocol: Protocol) -> None:
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

    async def _wait_for_answer(self, protocol: Protocol) -> None:
        """Until it is out, the peer turns out to have left, or that takes too long."""
        end = trio.current_time() + _HALF_CLOSED_SECONDS
        while trio.current_time() < end and not self._has_hung_up():
            with trio.move_on_after(_LOOK_SECONDS):
                await protocol.answered.wait()
                return

    def _has_hung_up(self) -> bool:
        """Return whether the peer has closed both sides, as far as the system tells that.

        It tells it at once of a Unix socket; of a TCP socket only the table of all of them does.
        """
        socket = self._stream.socket
        if socket.family != AF_UNIX:
            return self._user() == NOBODY
        look = poll()
        look.register(socket.fileno(), 0)
        return any(events & POLLHUP for _, events in look.poll(0))

    async def _receive(self) -> bytes:
        try:
            return await self._readiness.receive(self._stream.socket.fileno(), _READ)
        except OSError:
            self._peer_is_there = False
            return b""

    async def _deliver(self, event: Event) -> None:
        """Do to the connection what the protocol wants."""
        match event:
            case RawData(data=data) if data:
                await self._write(data)
            case Closed():
                self._sent_last = True
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
        await trio.lowlevel.checkpoint_if_cancelled()  # now, or when all of it is out
        written = 0
        if not self._writing.locked() and self._peer_is_there:
            # Nearly always there is room for all of it, and nothing to wait for.
            try:
                written = os.write(self._stream.socket.fileno(), data)
            except BlockingIOError:
                pass
            except OSError:
                self._abandon()
        if written == len(data):
            return
        left = memoryview(data)[written:]
        async with self._writing:
            scope = self._deadline_scope = trio.CancelScope(shield=True, deadline=self._deadline())
            with scope:
                try:
                    while left and self._peer_is_there:
                        left = left[await self._stream.socket.send(left) :]
                        scope.deadline = self._deadline()
                except (OSError, trio.ClosedResourceError):
                    self._abandon()
            self._deadline_scope = None
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
        if not (self._sent_last and self._peer_is_there):
            return  # there is no answer on its way
        limit = _HURRIED_SECONDS if self._hurried else _LINGER_SECONDS
        deadline = trio.current_time() + limit
        with trio.CancelScope(shield=True, deadline=deadline) as self._deadline_scope:
            self._stream.socket.shutdown(socket.SHUT_WR)
            while await self._receive():
                pass


class _Tasks(TaskGroup):
    """The tasks that work for one connection."""

    def cancel(self) -> None:
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()
