"""Looking after the processes that a script has left running, when the script itself is over.

The execution has ended, its exit is written and its lock let go. What its program left is kept
under the same subreaper until it ends by itself, or until its keeper is told to end it. The program
`script_services` follows it, at the socket `k` of the spool: it gets one line with the version of
this, then all that the services write. When it goes, they are ended.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time

from anyond.shim.processes.descendants import Descendants

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from anyond.shim.spool.output import Source

VERSION = b"services 1\n"
BACKLOG = 1 << 20  # bytes held for a reader that is slow, or not there yet
READ = 1 << 16  # bytes taken from a pipe at once
KILL_AFTER_S = 2.0  # seconds between SIGTERM and SIGKILL
UNWATCHED = 24 * 3600.0  # seconds after which services that nobody ever asked for are ended


class ServicesKeeper:
    """The descendants of a program that has ended.

    Args:
        descendants: who they are.
        sources: their output, as far as it is open.
        wakeup: a pipe that becomes readable at SIGCHLD.
    """

    def __init__(self, descendants: Descendants, sources: list[Source], wakeup: int) -> None:
        self.descendants = descendants
        self.selector = selectors.DefaultSelector()
        self.selector.register(wakeup, selectors.EVENT_READ, lambda: os.read(wakeup, 4096))
        self.outputs = {source.fd for source in sources if source.open}
        self.reading: set[int] = set()
        self.backlog = bytearray()
        self.peer: socket.socket | None = None
        self.ending_at: float | None = None
        self.unwatched_until = time.monotonic() + UNWATCHED
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def listen(self) -> None:
        """Open the socket; the working directory is the spool."""
        self.listener.bind("k")  # a relative name: a socket's path may not be long
        os.chmod("k", 0o600)
        self.listener.listen(4)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)

    def run(self) -> None:
        """Serve until all of them have ended."""
        while not self.descendants.certainly_gone():
            self._choose()
            for key, _ in self.selector.select(self._timeout()):
                key.data()
            now = time.monotonic()
            if self.ending_at is not None and now >= self.ending_at:
                if self.descendants.next_scan is None:
                    self.descendants.start_sweep()
                self.descendants.scan()
                if self.descendants.next_scan is None:
                    break  # what is left cannot be killed
            elif self.ending_at is None and self.peer is None and now >= self.unwatched_until:
                self._end()
        for fd in self.outputs:
            self._read(fd)
        if self.peer is not None:
            self.peer.settimeout(1)
            try:  # noqa: SIM105 - `contextlib` would cost each shim memory
                self.peer.sendall(self.backlog)
            except OSError:
                pass  # it has gone
        if os.path.lexists("k"):  # else the spool was deleted
            os.unlink("k")

    def _timeout(self) -> float | None:
        now = time.monotonic()
        if self.ending_at is None:
            return max(0.0, self.unwatched_until - now) if self.peer is None else None
        due = self.descendants.next_scan or self.ending_at
        return max(0.0, due - now)

    def _choose(self) -> None:
        """A slow reader makes the services wait; with none, the oldest of it is forgotten."""
        full = self.peer is not None and len(self.backlog) > BACKLOG
        fds = set() if full else set(self.outputs)
        for fd in self.reading - fds:
            self.selector.unregister(fd)
        for fd in fds - self.reading:
            self.selector.register(fd, selectors.EVENT_READ, lambda fd=fd: self._read(fd))
        self.reading = fds
        if self.peer is not None:
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.backlog else 0)
            if self.selector.get_key(self.peer).events != mask:
                self.selector.modify(self.peer, mask, self._serve)

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            if fd in self.reading:
                self.selector.unregister(fd)
                self.reading.discard(fd)
            self.outputs = self.outputs - {fd}
            os.close(fd)
        self.backlog += data
        if self.peer is None:
            del self.backlog[:-BACKLOG]

    def _accept(self) -> None:
        try:
            self.peer = self.listener.accept()[0]
        except OSError:
            return  # gone again
        self.peer.setblocking(False)
        self.selector.unregister(self.listener)  # there is but one
        self.backlog[:0] = VERSION
        self.selector.register(self.peer, selectors.EVENT_READ, self._serve)

    def _serve(self) -> None:
        assert self.peer is not None
        try:
            if self.backlog:
                del self.backlog[: self.peer.send(self.backlog)]
        except BlockingIOError:
            pass  # later
        except OSError:
            self._end()
            self.backlog.clear()
        try:
            if not self.peer.recv(4096):
                self._end()
        except BlockingIOError:
            return
        except OSError:
            self._end()

    def _end(self) -> None:
        if self.ending_at is None:
            self.ending_at = time.monotonic() + KILL_AFTER_S
            self.descendants.send(self.descendants.remaining(), signal.SIGTERM)
            self.unwatched_until = float("inf")
