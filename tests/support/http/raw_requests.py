"""Requests that are written byte by byte."""

from __future__ import annotations

import trio
import trio.testing


def upgrade(path: str) -> str:
    return (
        f"GET {path} HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\nSec-WebSocket-Version: 13\n\n"
    )


async def head(stream: trio.SocketStream, end: bytes = b"\r\n\r\n") -> bytes:
    received = b""
    with trio.fail_after(10):
        while end not in received:
            received += await stream.receive_some(4096)
    return received
