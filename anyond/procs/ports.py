"""Free ports: numbers that nobody listens on just now."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of this machine that is free at this moment; nobody keeps it free until it is used."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
