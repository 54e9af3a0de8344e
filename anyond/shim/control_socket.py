"""The daemon's connection to a shim: one at a time, frames in, single bytes out.

A frame is `<verb> <length>\\n` and then that many bytes. What goes back is `#<number>\\n` (which
protocol this is; first of all), `.` (the log grew), `E` and `e` (the disk is, and is no longer, in
trouble), `x` (it is over) and `=<token>\\n` (everything before that `sync` was executed). A shim
that was given a key obeys only a connection whose first frame is `hello` with that key, and none of
a process that descends from an execution: such a one is told `!`, and hung up on.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections import deque

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable

READ = 1 << 18  # bytes taken from the socket at once
HEADER = 64  # bytes that a header may have
LONGEST = 1 << 30  # bytes that a frame may have
HELLO = 256  # bytes within which a `hello` is complete
WAITING = 16  # connections that may wait for their turn, and that need not have said hello yet


class ControlSocket:
    """The socket `s` of the spool, and the daemon that is connected to it.

    Args:
        obey: executes one complete frame; raises ValueError if it means nothing.
        greeting: what a daemon has to know when it comes.
        is_foreign: whether a connection is none of a daemon.
        key: what a daemon says first; empty if it need not.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        obey: Callable[[bytes, bytes], None],
        greeting: Callable[[], bytes],
        is_foreign: Callable[[socket.socket], bool],
        key: bytes = b"",
    ) -> None:
        self.selector = selector
        self.obey = obey
        self.greeting = greeting
        self.is_foreign = is_foreign
        self.key = key
        self.unknown: dict[socket.socket, bytearray] = {}  # those that have not said hello yet
        self.queue: deque[tuple[socket.socket, bytearray]] = deque()
        self.peer: socket.socket | None = None
        self.inbox, self.outbox = bytearray(), bytearray()
        self.frame: tuple[bytes, int] | None = None
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind("s")  # a relative name: a socket's path may not be long
        os.chmod("s", 0o600)
        self.listener.listen(16)
        self.listener.setblocking(False)
        selector.register(self.listener, selectors.EVENT_READ, self._accept)

    def send(self, data: bytes) -> None:
        """Send this as soon as there is room for it."""
        if self.peer is not None:
            self.outbox += data
            self._flush()

    def notify_growth(self) -> None:
        """Say that the log grew, unless there is so much to read that this goes without saying."""
        if self.peer is not None and not self.outbox:
            self.outbox += b"."
            self._flush(lossy=True)

    def clear_up(self) -> None:
        """Execute all that has been sent, also by those who still wait for their turn."""
        self._accept(0)
        for sock in list(self.unknown):
            self._introduce(sock)
        while self.peer is not None:
            if not self._receive() and self.peer is not None:
                return

    def remove(self) -> None:
        """Let nobody find the socket any more."""
        if os.path.lexists("s"):  # else the spool was deleted
            os.unlink("s")

    def close(self) -> None:
        """Say `x`, and no more."""
        if self.peer is not None:
            self.peer.settimeout(1)  # a daemon that does not listen can look into the spool
            self.send(b"x")

    def leave(self) -> None:
        """Let go of whoever is connected, after `close`."""
        self.listener.close()
        for sock in (self.peer, *self.unknown, *(waiting for waiting, _ in self.queue)):
            if sock is not None:
                sock.close()

    # ------------------------------------------------------------ who is there

    def _accept(self, _: int) -> None:
        """Let all in at once, so that nobody holds up anybody by just being there."""
        while True:
            try:
                sock = self.listener.accept()[0]
            except BlockingIOError:
                return
            except OSError:
                time.sleep(0.05)  # too many open files: it stays readable, but must not spin
                return
            sock.setblocking(False)
            if self.is_foreign(sock):
                self._send_away(sock)
            elif self.key:
                self._receive_unknown(sock)
            else:
                self._admit(sock, bytearray())

    def _receive_unknown(self, sock: socket.socket) -> None:
        if len(self.unknown) >= WAITING:
            self._send_away(next(iter(self.unknown)))
        self.unknown[sock] = bytearray()
        self.selector.register(sock, selectors.EVENT_READ, lambda _: self._introduce(sock))
        self._introduce(sock)

    def _introduce(self, sock: socket.socket) -> None:
        """Read the first frame, which has to be `hello` with our key."""
        data_so_far = self.unknown[sock]
        try:
            data = sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        data_so_far += data
        hello = b"hello %d\n" % len(self.key) + self.key
        if data_so_far.startswith(hello):
            del self.unknown[sock]
            self.selector.unregister(sock)
            self._admit(sock, data_so_far[len(hello) :])
        elif not data or not hello.startswith(data_so_far[:HELLO]):
            self._send_away(sock)

    def _send_away(self, sock: socket.socket) -> None:
        if self.unknown.pop(sock, None) is not None:
            self.selector.unregister(sock)
        try:  # noqa: SIM105 - `contextlib` would cost each shim memory
            sock.send(b"!")
        except OSError:
            pass  # it has gone, or does not listen
        sock.close()

    def _admit(self, sock: socket.socket, inbox: bytearray) -> None:
        if self.peer is None:
            self._serve_next(sock, inbox)
        elif len(self.queue) < WAITING:
            self.queue.append((sock, inbox))  # until all that the former one sent is executed
        else:
            self._send_away(sock)

    def _serve_next(self, sock: socket.socket, inbox: bytearray) -> None:
        self.peer, self.inbox = sock, inbox
        self.selector.register(sock, selectors.EVENT_READ, self._serve)
        # What was logged before it said hello rang for nobody.
        self.send(self.greeting() + (b"." if self.key else b""))
        if inbox and not self._execute():
            self._hang_up()

    def _hang_up(self) -> None:
        assert self.peer is not None
        self.selector.unregister(self.peer)
        self.peer.close()
        self.peer, self.frame = None, None
        self.inbox.clear()
        self.outbox.clear()
        if self.queue:
            self._serve_next(*self.queue.popleft())

    # ------------------------------------------------------------ what is said

    def _serve(self, mask: int) -> None:
        peer = self.peer
        if mask & selectors.EVENT_WRITE:
            self._flush()
        if mask & selectors.EVENT_READ and self.peer is peer:
            self._receive()

    def _receive(self) -> bool:
        """Execute what has come; whether there may be more."""
        assert self.peer is not None
        try:
            data = self.peer.recv(READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self.inbox += data
        if not self._execute():
            data = b""  # not our protocol: nothing that follows can be understood
        if not data:
            self._hang_up()
        return bool(data)

    def _execute(self) -> bool:
        """Execute the complete frames that are there; False if one is malformed."""
        try:
            while self._next():
                pass
        except ValueError:
            return False
        return True

    def _next(self) -> bool:
        """Execute one frame; False if none is complete. Raises ValueError if it is malformed."""
        if self.frame is None:
            end = self.inbox.find(b"\n", 0, HEADER)
            if end < 0:
                if len(self.inbox) >= HEADER:
                    raise ValueError("endless header")
                return False
            verb, length = bytes(self.inbox[:end]).split(b" ")
            if not length.isdigit() or int(length) > LONGEST:
                raise ValueError("no length")
            self.frame = (verb, int(length))
            del self.inbox[: end + 1]
        verb, size = self.frame
        if len(self.inbox) < size:
            return False
        payload = bytes(self.inbox[:size])
        del self.inbox[:size]
        self.frame = None
        self.obey(verb, payload)
        return True

    def _flush(self, lossy: bool = False) -> None:
        assert self.peer is not None
        try:
            if self.outbox:
                del self.outbox[: self.peer.send(self.outbox)]
        except BlockingIOError:
            if lossy:
                self.outbox.clear()
        except OSError:
            self.outbox.clear()  # it has gone; what it had sent before is still to be read
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outbox else 0)
        if self.selector.get_key(self.peer).events != mask:
            self.selector.modify(self.peer, mask, self._serve)
