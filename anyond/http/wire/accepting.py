"""Accepting connections, also when nearly all descriptors are in use.

A new descriptor has the lowest number that is free; so the number of an accepted socket tells how
many are in use. When it reaches into the reserve, the connections that have been idle for longest
give way; when none is idle, the new one is told to come back later.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

import structlog
import trio

from anyond import open_files
from anyond.http.answer.envelope import JSON, failure

RETRY_S = 0.05
"""Seconds until the next try, after the system had no descriptor or memory for a connection."""

_GIVE_WAY = 16
"""So many idle connections are ended at once, since one new one seldom comes alone."""
_SILENCE_S = 60.0
_TICKS = 20
_UNREAD = 64 * 1024
_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}

log = structlog.get_logger("anyond.http")

Handle = Callable[[trio.SocketStream], Awaitable[None]]


class Evictable(Protocol):
    """A connection that may have to give way.

    Attributes:
        idle: whether no request is being answered on it.
        idle_since: in seconds of Trio's clock.
    """

    idle: bool
    idle_since: float

    def hasten(self) -> None:
        """End at once if it is idle."""


class Acceptor:
    """Lets in whoever knocks at any of several listeners.

    Args:
        connections: those that are open, as they change.
        limit: descriptors that the process may have.
        reserve: how many of them connections must leave alone.
    """

    def __init__(
        self,
        connections: Iterable[Evictable],
        limit: int | None = None,
        reserve: int | None = None,
    ) -> None:
        self._connections = connections
        self._most = (limit or open_files.limit()) - (reserve or open_files.reserve())
        self._end = self._most + (reserve or open_files.reserve()) // 2
        # Closed for a moment if there is no other one: so whoever waits is taken, and sent away.
        self._spare: int | None = _spare()
        self._warned_at = -_SILENCE_S

    def close(self) -> None:
        """Give back what it holds."""
        self._free_spare()

    async def serve(
        self, listener: trio.SocketListener, handle: Handle, nursery: trio.Nursery
    ) -> None:
        """Accept until cancelled or the listener is closed; nothing that happens to a single
        connection ends it, and it never spins."""
        while True:
            try:
                stream = await listener.accept()
            except trio.ClosedResourceError:
                return
            except OSError as error:
                await self._troubled(listener, error)
                continue
            if stream.socket.fileno() >= self._most:
                await self._make_room()
            if stream.socket.fileno() >= self._end:
                self._warn("no descriptors are left for connections")
                _send_away(stream)
                continue
            nursery.start_soon(handle, stream)

    async def _make_room(self) -> None:
        await _settle()  # what was accepted a moment ago may have brought its request along
        idle = sorted((c for c in self._connections if c.idle), key=lambda c: c.idle_since)
        for connection in idle[:_GIVE_WAY]:
            connection.hasten()
        if idle:
            self._warn("idle connections give way: nearly all descriptors are in use")
            await _settle()  # until their descriptors are free

    async def _troubled(self, listener: trio.SocketListener, error: OSError) -> None:
        self._warn(f"a connection could not be accepted: {error.strerror}")
        if error.errno in _SHORTAGES:
            await self._make_room()
            if self._spare is not None:
                self._free_spare()
                with suppress(OSError), trio.move_on_after(0):
                    _send_away(await listener.accept())
                self._spare = _spare()
        await trio.sleep(RETRY_S)

    def _free_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _warn(self, what: str) -> None:
        """Once a minute: a full disk because of a full table would be worse."""
        if trio.current_time() - self._warned_at >= _SILENCE_S:
            self._warned_at = trio.current_time()
            log.warning(what, limit=open_files.limit())


async def _settle() -> None:
    for _ in range(_TICKS):
        await trio.lowlevel.checkpoint()


def _spare() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _send_away(stream: trio.SocketStream) -> None:
    """Answer before anything is asked: to wait for the question would take the room that is not
    there."""
    body = failure("Too many connections are open; try again in a moment.")
    head = (
        f"HTTP/1.1 503 \r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\n"
        "retry-after: 1\r\nconnection: close\r\n\r\n"
    )
    sock = stream.socket
    with suppress(OSError), sock:
        os.write(sock.fileno(), head.encode() + body)
        sock.shutdown(trio.socket.SHUT_WR)
        # What is left unread would make the kernel throw away the answer.
        os.read(sock.fileno(), _UNREAD)
