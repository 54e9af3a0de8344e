"""Sending the messages of a WebSocket: framed here, written once, the large ones in pieces.

To encode a message, to put a head before it and to hand it over takes its time again and again. A
line of an agent is so short that the layers between cost more than the line; a list of a hundred
thousand tasks is one message of fifty megabytes, which of a piece would hold up everybody.

What a client sends, pings and the end of a connection are Hypercorn's and wsproto's, as ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import trio
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from wsproto.connection import ConnectionState
from wsproto.events import Event, TextMessage

FRAGMENT = 128 * 1024
"""Bytes of a message that go into one frame."""

SEND_TEXTS = "anyon.send_texts"
"""Under this name the ASGI state has what an application calls to send many messages at once:
`send_texts(texts)`, each in UTF-8; it does what `websocket.send` does for each of them, in order.
"""

_FINAL, _TEXT, _MORE = 0x80, 0x1, 0x0  # RFC 6455, 5.2; a server does not mask


class FragmentingStream(WSStream):
    """Sends long texts in fragments (RFC 6455, 5.4); a ping may go between two of them.

    Args:
        write: sends bytes to the peer; returns when all are out.
    """

    def __init__(self, *args: Any, write: Callable[[bytes], Awaitable[None]]) -> None:
        super().__init__(*args)
        self._write = write

    async def send_texts(self, texts: Iterable[bytes]) -> None:
        """Send messages in UTF-8, those that are short together. Others run now and then.

        Like `websocket.send` it sends nothing, and raises nothing, when the connection is closed.
        """
        held: list[bytes] = []
        size = 0
        for text in texts:
            for piece in _frames(text):
                held.append(piece)
                size += len(piece)
                if size >= FRAGMENT:
                    await self._write_open(b"".join(held))
                    held, size = [], 0
                    # What there is room for is written without ever giving way to others.
                    await trio.lowlevel.checkpoint()
        if held:
            await self._write_open(b"".join(held))

    async def _send_wsproto_event(self, event: Event) -> None:
        if isinstance(event, TextMessage):
            await self.send_texts((event.data.encode(),))
        else:
            await super()._send_wsproto_event(event)

    async def _write_open(self, data: bytes) -> None:
        is_open = (
            not self.closed
            and self.state is ASGIWebsocketState.CONNECTED
            and self.connection.state is ConnectionState.OPEN
        )
        if is_open:
            await self._write(data)
        else:
            await trio.lowlevel.checkpoint()  # where whoever is not wanted any more ends


def _frames(text: bytes) -> Iterator[bytes]:
    """One message as frames, cut where characters end."""
    if len(text) <= FRAGMENT:
        yield _head(_FINAL | _TEXT, len(text)) + text
        return
    kind, start = _TEXT, 0
    while start < len(text):
        end = start + FRAGMENT
        while end < len(text) and text[end] & 0xC0 == 0x80:
            end -= 1
        piece = text[start:end]
        last = _FINAL if end >= len(text) else 0
        yield _head(last | kind, len(piece)) + piece
        kind, start = _MORE, end


def _head(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")
