"""Reading a WebSocket at the least cost: blocking sockets, the standard library only.

A client in a process of its own should add as little as possible to what is measured.
"""

from __future__ import annotations

import base64
import os
import socket
from urllib.parse import urlsplit

_MORE, _TEXT, _CLOSE, _PING, _PONG = 0, 1, 8, 9, 10


class WebSocket:
    """One connection to a stream.

    Args:
        url: `ws://host:port/path?query`.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self._held = bytearray()
        self._begun = bytearray()  # a message of which more fragments come
        self.over = False
        while b"\r\n\r\n" not in self._held:
            self._receive()
        head, _, rest = bytes(self._held).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(f"{url} answered {head.decode(errors='replace')}")
        self._held = bytearray(rest)

    def fileno(self) -> int:
        return self._socket.fileno()

    def wait(self) -> list[bytes]:
        """The text messages that arrive next, at least one unless it is `over`."""
        while not (messages := self._take()) and not self.over:
            self._receive()
        return messages

    def read(self) -> list[bytes]:
        """The messages that are complete after one more read from the socket."""
        self._receive()
        return self._take()

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> None:
        data = self._socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the daemon closed the connection without a word")
        self._held += data

    def _take(self) -> list[bytes]:
        found: list[bytes] = []
        held, position = self._held, 0
        while len(held) - position >= 2:
            length, start = held[position + 1], position + 2
            if length == 126:
                length, start = int.from_bytes(held[start : start + 2], "big"), start + 2
            elif length == 127:
                length, start = int.from_bytes(held[start : start + 8], "big"), start + 8
            if len(held) < start + length:
                break
            last, kind = held[position] & 128, held[position] & 15
            payload = bytes(held[start : start + length])
            position = start + length
            if kind in (_TEXT, _MORE):
                self._begun += payload
                if last:
                    found.append(bytes(self._begun))
                    self._begun.clear()
            elif kind == _PING:  # a mask of zeros leaves the payload as it is
                self._socket.sendall(bytes((128 | _PONG, 128 | length)) + bytes(4) + payload)
            elif kind == _CLOSE:
                self.over = True
        del held[:position]
        return found
