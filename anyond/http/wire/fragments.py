"""Sending a WebSocket's message in pieces, so that a large one holds up nobody.

A list of a hundred thousand tasks is one message of fifty megabytes. To encode it, to put a head
before it and to hand it over takes its time again and again; of a piece, it takes a moment.
"""

from __future__ import annotations

import trio
from hypercorn.protocol.ws_stream import WSStream
from wsproto.events import Event, TextMessage

FRAGMENT = 128 * 1024
"""Characters of a message that go into one frame."""


class FragmentingStream(WSStream):
    """Sends long texts in fragments (RFC 6455, 5.4); a ping may go between two of them."""

    async def _send_wsproto_event(self, event: Event) -> None:
        if not isinstance(event, TextMessage) or len(event.data) <= FRAGMENT:
            await super()._send_wsproto_event(event)
            return
        text = event.data
        for start in range(0, len(text), FRAGMENT):
            piece = TextMessage(
                data=text[start : start + FRAGMENT],
                message_finished=start + FRAGMENT >= len(text),
            )
            await super()._send_wsproto_event(piece)
            if not piece.message_finished:
                # A piece that there is room for is written without ever giving way to others.
                await trio.lowlevel.checkpoint()
