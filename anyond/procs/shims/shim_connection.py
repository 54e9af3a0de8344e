"""The daemon's end of the line to one shim: whole frames out, single bytes in."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

import trio

from anyond.model.errors import TimedOut
from anyond.model.records import LaunchedProcesses
from anyond.procs.shims.shim_watch import ShimWatch
from anyond.shim.protocol import UNNAMED, refusal
from anyond.wakeup import Wakeup

FLUSH = 5.0
"""Seconds that a detaching daemon waits until what it has said is sent."""

LONGEST_NUMBER = 9
"""Bytes of what names a protocol."""

_READ = 1 << 16


class ShimConnection:
    """A program under a live shim. It goes on when nobody listens.

    What is handed over is sent whole and in order, whether or not the caller is cancelled while it
    waits for that. Saying something to a shim that is gone is no error: `news` tells of its death.

    Args:
        pid: the program, leader of its own process group; filled in once it is known.
        stream: the connection, which this owns.
        watch: reads what comes from it.
        key: what this shim wants to hear first; empty if it wants nothing.

    Attributes:
        trouble: whether its disk is full.
        orderly: whether the shim said that it is over, so that nothing is left of it.
        processes: the shim and its program as the system told of them; None if it did not.
        refused: whether the shim takes no orders from us.
        on_news: called whenever `news` would return, without a task of its own; never raises.
        protocol: what it speaks, as far as it has said that.
    """

    def __init__(
        self,
        execution_id: str,
        pid: int,
        stream: trio.SocketStream,
        watch: ShimWatch,
        key: str = "",
    ) -> None:
        self.execution_id = execution_id
        self.pid = pid
        self.processes: LaunchedProcesses | None = None
        self.trouble = False
        self.orderly = False
        self.refused = False
        self.protocol = UNNAMED
        self.on_news: Callable[[], None] | None = None
        self._stream = stream
        self._watch = watch
        self._frames: deque[tuple[bytes, trio.Event]] = deque()
        self._wake = trio.Event()
        self._sent = trio.Event()
        self._closing = False
        self._gone = False
        self._over = False
        self._detached = False
        self._unread = False
        self._news = Wakeup()
        self._line = b""
        self._tokens: set[bytes] = set()
        if key:
            self._post("hello", key.encode())
        watch.add(stream.socket.fileno(), self._receive)

    async def write(self, data: bytes) -> None:
        """Put `data` on record and give it to the program's stdin. Returns when it is sent."""
        await self._send_command("stdin", data)

    async def note(self, data: bytes) -> None:
        """Put a NOTE on record. Returns when it is sent."""
        await self._send_command("note", data)

    async def close_stdin(self) -> None:
        """Let the program read the end of its stdin, after all that was written."""
        await self._send_command("eof")

    async def signal(self, number: int) -> None:
        """Send a signal to the program's process group."""
        await self._send_command("signal", b"%d" % number)

    async def kill(self) -> None:
        """Kill the program and every descendant of it, until none is found. Does not wait."""
        await self._send_command("kill")

    async def news(self) -> bool:
        """Wait until the log grew or something changed; all that has come counts as one.

        Returns:
            False when the shim is gone; then `Launcher.look` tells how it went.

        Raises:
            trio.ClosedResourceError: after, or because of, `aclose`.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._unread:
            if self._detached:
                raise trio.ClosedResourceError
            await self._news.wait()
        self._unread = self._over  # that it is gone is news for ever
        return not self._over

    @property
    def is_gone(self) -> bool:
        """True if the shim says nothing any more, and never will."""
        return self._over

    async def synchronize(self, timeout: float) -> bool:
        """Wait until everything that was ever sent to this shim is executed.

        Returns:
            False if it is gone, or speaks a protocol in which nobody knows what it has understood.

        Raises:
            TimedOut: an earlier connection is still open on its other end.
        """
        token = b"%x" % id(self)
        try:
            with trio.fail_after(timeout):
                await self._send_command("sync", token)
                while token not in self._tokens:
                    if not await self.news() or refusal(self.protocol) is not None:
                        return False
        except trio.TooSlowError:
            raise TimedOut(f"The shim of execution {self.execution_id} does not answer.") from None
        return True

    async def obeys(self, timeout: float) -> bool:
        """Return whether the shim executes all that it was told within `timeout` seconds.

        For use beside somebody who waits for `news`. A shim that is gone obeys as well.
        """
        token = b"%x-%d" % (id(self), len(self._tokens))
        self._post("sync", token)
        with trio.move_on_after(timeout):
            while token not in self._tokens and not self._over:
                await self._news.wait()
            return True
        return False

    async def aclose(self) -> None:
        """Detach, after what was handed over is sent; the execution goes on."""
        self._closing = True
        self._wake.set()
        with trio.move_on_after(FLUSH, shield=True):
            await self._sent.wait()
        self._detach()
        await trio.aclose_forcefully(self._stream)

    async def send_frames(self) -> None:
        """The task that owns the sending side; runs as long as the connection."""
        done: trio.Event | None = None
        try:
            while True:
                while self._frames:
                    frame, done = self._frames.popleft()
                    if not self._gone:
                        try:
                            await self._stream.send_all(frame)
                        except (trio.BrokenResourceError, trio.ClosedResourceError):
                            self._gone = True
                    done.set()
                if self._closing:
                    return
                self._wake = trio.Event()
                await self._wake.wait()
        finally:
            # Cancelled with the launcher: whoever waits is told, by the log, what was executed.
            self._gone = self._closing = True
            self._sent.set()
            for event in (done, *(waiting for _, waiting in self._frames)):
                if event is not None:
                    event.set()
            self._detach()
            self._stream.socket.close()

    async def _send_command(self, verb: str, payload: bytes = b"") -> None:
        if self._gone or self._closing:
            await trio.lowlevel.checkpoint()
            return
        await self._post(verb, payload).wait()

    def _post(self, verb: str, payload: bytes) -> trio.Event:
        done = trio.Event()
        self._frames.append((f"{verb} {len(payload)}\n".encode() + payload, done))
        self._wake.set()
        return done

    def _detach(self) -> None:
        if not self._detached:
            self._detached = True
            self._watch.remove(self._stream.socket.fileno())
            self._news.notify()

    def _receive(self) -> None:
        """Take what has come; only for the watch, which calls it when there is something."""
        try:
            data = os.read(self._stream.socket.fileno(), _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._over = True
            self._watch.remove(self._stream.socket.fileno())
        if self._line or data.strip(b"."):
            for byte in data:
                self._take(byte)
        self._unread = True
        self._news.notify()
        if self.on_news is not None:
            self.on_news()

    def _take(self, byte: int) -> None:
        if self._line:
            if byte == ord("\n"):
                self._take_line(self._line)
                self._line = b""
            else:
                self._line += bytes((byte,))
        elif byte in b"=#":
            self._line = bytes((byte,))
        elif byte in b"Ee":
            self.trouble = byte == ord("E")
        elif byte == ord("x"):
            self.orderly = True
        elif byte == ord("!"):
            self.refused = True

    def _take_line(self, line: bytes) -> None:
        if line.startswith(b"="):
            self._tokens.add(line[1:])
        elif line[1:].isdigit() and len(line) <= LONGEST_NUMBER:
            self.protocol = int(line[1:])
