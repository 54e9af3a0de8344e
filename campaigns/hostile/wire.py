"""Sending a hostile request to the daemon, and reading the answer."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress

from campaigns.hostile.requests import Request

TIMEOUT_S = 60.0
_ENOUGH = 1 << 20
_RESET = struct.pack("ii", 1, 0)


class Silent(Exception):
    """No answer came, and the connection was not closed either."""


def exchange(host: str, port: int, request: Request) -> int:
    """Send it on a connection of its own.

    Returns:
        The status; 0 if the connection was closed without an answer.

    Raises:
        Silent: nothing happened in `TIMEOUT_S`.
    """
    data = request.head(f"{host}:{port}") + request.body
    with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
        # A port is free again at once: a campaign would use up all of them.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        with suppress(BrokenPipeError, ConnectionResetError):  # it is refused before it is read
            if request.manner == "pieces":
                for at in range(0, min(len(data), 64)):
                    connection.send(data[at : at + 1])
                connection.sendall(data[64:])
            else:
                connection.sendall(data)
            if request.manner == "half":
                connection.shutdown(socket.SHUT_WR)
        return 0 if request.manner == "gone" else _status(connection)


def _status(connection: socket.socket) -> int:
    """Of the last head; what goes before may say only that the rest may come."""
    received, deadline = b"", time.monotonic() + TIMEOUT_S
    try:
        while time.monotonic() < deadline and len(received) < _ENOUGH:
            data = connection.recv(65536)
            received += data
            while received.startswith(b"HTTP/1.1 100") and b"\r\n\r\n" in received:
                received = received.partition(b"\r\n\r\n")[2]
            if b"\r\n" in received or not data:
                return int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else 0
    except ConnectionResetError:
        return 0
    except TimeoutError:
        pass
    raise Silent("no answer, and no end")
