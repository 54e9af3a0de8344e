"""How the daemon speaks with a shim: one connection at a time, frames in, single bytes out.

A frame is `<verb> <length>\\n` and then that many bytes. What goes back is `.` (the log grew), `E`
and `e` (the disk is, and is no longer, in trouble), `x` (it is over) and `=<token>\\n` (everything
before that `sync` was executed). Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import selectors
import socket

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable

READ = 1 << 18  # bytes taken from the socket at once
HEADER = 64  # bytes that a header may have
LONGEST = 1 << 30  # bytes that a frame may have


class ControlSocket:
    """The socket `s` of the spool, and the daemon that is connected to it.

    Args:
        obey: executes one complete frame; raises ValueError if it means nothing.
        greeting: what a daemon has to know when it comes.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        obey: Callable[[bytes, bytes], None],
        greeting: Callable[[], bytes],
    ) -> None:
        self.selector = selector
        self.obey = obey
        self.greeting = greeting
        self.peer: socket.socket | None = None
        self.inbox, self.outbox = bytearray(), bytearray()
        self.frame: tuple[bytes, int] | None = None
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind("s")  # a relative name: a socket's path may not be long
        os.chmod("s", 0o600)
        self.listener.listen(16)
        self.listener.setblocking(False)
        selector.register(self.listener, selectors.EVENT_READ, self._accept)

    def tell(self, data: bytes) -> None:
        """Send this as soon as there is room for it."""
        if self.peer is not None:
            self.outbox += data
            self._flush()

    def ring(self) -> None:
        """Say that the log grew, unless there is so much to read that this goes without saying."""
        if self.peer is not None and not self.outbox:
            self.outbox += b"."
            self._flush(lossy=True)

    def clear_up(self) -> None:
        """Execute all that has been sent, also by those who still wait for their turn."""
        while self.peer is not None or self._accept(0):
            if not self._receive() and self.peer is not None:
                return

    def close(self) -> None:
        """Say `x`, and no more; nobody finds the socket after this."""
        if os.path.lexists("s"):  # else the spool was deleted
            os.unlink("s")
        if self.peer is not None:
            self.peer.settimeout(1)  # a daemon that does not listen can look into the spool
            self.tell(b"x")

    def leave(self) -> None:
        """Let go of whoever is connected, after `close`."""
        self.listener.close()
        if self.peer is not None:
            self.peer.close()

    def _accept(self, _: int) -> bool:
        try:
            self.peer = self.listener.accept()[0]
        except OSError:
            return False  # nobody, or gone again
        self.peer.setblocking(False)
        self.selector.unregister(self.listener)  # the next one waits until this one is done
        self.selector.register(self.peer, selectors.EVENT_READ, self._serve)
        self.tell(self.greeting())
        return True

    def _hang_up(self) -> None:
        assert self.peer is not None
        self.selector.unregister(self.peer)
        self.peer.close()
        self.peer, self.frame = None, None
        self.inbox.clear()
        self.outbox.clear()
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)

    def _serve(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush()
        if mask & selectors.EVENT_READ:
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
        try:
            while self._next():
                pass
        except ValueError:
            data = b""  # not our protocol: nothing that follows can be understood
        if not data:
            self._hang_up()
        return bool(data)

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
