"""Serving connections, and closing all of them within a second and a half."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext

from anyond.http.wire.accepting import Acceptor
from anyond.http.wire.connection import Connection
from anyond.http.wire.listeners import Listener
from anyond.http.wire.partings import Partings
from anyond.http.wire.peers import Peers
from anyond.http.wire.readiness import Readiness

REQUESTS_TIMEOUT_S = 0.9
STALL_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 65.0
PING_SECONDS = 15.0

_LARGEST_MESSAGE = 64 * 1024
_LARGEST_HEAD = 32 * 1024
_AT_ONCE = 100

log = structlog.get_logger("anyond.http")


class _Log:
    """Hypercorn's way to tell what happened: only what fails is worth a line."""

    def __init__(self, config: Config) -> None:
        pass

    async def access(self, *details: object) -> None:
        pass

    async def exception(self, message: str, *details: object) -> None:
        log.exception(message)


async def serve(
    app: Any,
    listeners: Sequence[Listener],
    *,
    closing: trio.Event,
    timeout_s: float = REQUESTS_TIMEOUT_S,
    stall: float = STALL_SECONDS,
    keep_alive: float = KEEP_ALIVE_SECONDS,
    ping: float = PING_SECONDS,
    peers: Peers | None = None,
    partings: Partings | None = None,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `app` to whoever connects, until `closing` is set or the caller is cancelled.

    Then nobody new is let in, idle connections end at once, requests have `timeout_s` to be
    answered, peers that do not read are cut off, and the listeners are closed. The streams have
    to end by themselves when `closing` is set.

    Args:
        app: an ASGI application; it gets no lifespan events.
        listeners: from `listen`; closed at the end.
        closing: set by whoever stops the daemon.
        timeout_s: seconds.
        stall: seconds after which a peer that takes nothing of what is sent to it is cut off.
        keep_alive: seconds that a connection may be idle between two requests.
        ping: seconds between two pings of a WebSocket.
        peers: tells whose connection it is, for the guard.
        partings: holds WebSockets whose peers shall hear last that the daemon stops.
        task_status: told the URLs when connections are accepted, in the order of `listeners`.
    """
    config = Config()
    config.logger_class = _Log  # type: ignore[assignment]
    config.include_server_header = False
    config.keep_alive_timeout = keep_alive
    config.keep_alive_max_requests = 1_000_000
    config.h11_max_incomplete_size = _LARGEST_HEAD
    config.websocket_max_message_size = _LARGEST_MESSAGE
    config.websocket_ping_interval = ping
    wrapped = ASGIWrapper(app)
    context = WorkerContext(None)
    connections: set[Connection] = set()
    acceptor = Acceptor(connections)

    async def handle(stream: trio.SocketStream) -> None:
        connection = Connection(
            wrapped,
            config,
            context,
            stream,
            stall=stall,
            readiness=readiness,
            peers=peers,
            partings=partings,
        )
        if stream.socket.family != socket.AF_UNIX:
            # A laptop that was closed never says good-bye.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connections.add(connection)
        if context.terminated.is_set():
            connection.hasten()
        try:
            await connection.run()
        finally:
            connections.discard(connection)

    try:
        async with Readiness.open() as readiness, trio.open_nursery() as handlers:
            try:
                async with trio.open_nursery() as accepting:
                    for listener in listeners:
                        accepting.start_soon(acceptor.serve, listener.accepting, handle, handlers)
                    task_status.started([listener.url for listener in listeners])
                    await closing.wait()
                    accepting.cancel_scope.cancel()
            finally:
                handlers.cancel_scope.deadline = trio.current_time() + timeout_s
                await context.terminated.set()  # never waits
                for number, connection in enumerate(tuple(connections), start=1):
                    connection.hasten()
                    if number % _AT_ONCE == 0:
                        # Each of them ends in a task of its own; others have their turn between.
                        with trio.CancelScope(shield=True):
                            await trio.lowlevel.checkpoint()
    finally:
        acceptor.close()
        for listener in listeners:
            listener.close()
