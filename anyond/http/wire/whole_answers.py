"""Sending an answer that comes whole: its head and its body as one piece of bytes, in one step.

Hypercorn passes head, body and end of an answer on one by one, through three layers each. Nearly
all answers of the API are there as a whole when the first of these is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream

SendWhole = Callable[[int, list[tuple[bytes, bytes]], bytes], Awaitable[None]]


class AnswerStream(HTTPStream):
    """One request and its answer.

    Args:
        send_whole: sends status, headers and body, and ends the exchange.
    """

    def __init__(self, *args: Any, send_whole: SendWhole) -> None:
        super().__init__(*args)
        self._send_whole = send_whole
        self._head: Any = None

    async def app_send(self, message: Any) -> None:
        """Take what the application sends, as ASGI has it; a head waits for its body.

        If the application ends before that, it has said nothing.
        """
        if message is None:
            self._head = None
        elif message["type"] == "http.response.start" and self._waits_for_body(message):
            # Here ends an application that is not wanted any more.
            await trio.lowlevel.checkpoint_if_cancelled()
            self._head = message
            return
        elif self._head is not None:
            head, self._head = self._head, None
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.state = ASGIHTTPState.CLOSED
                headers = list(head["headers"])
                await self._send_whole(head["status"], headers, message.get("body", b""))
                return
            await super().app_send(head)
        await super().app_send(message)

    def _waits_for_body(self, head: Any) -> bool:
        return (
            self.state is ASGIHTTPState.REQUEST
            and self._head is None
            and self.scope["method"] != "HEAD"
            and head["status"] >= 200
            and any(name == b"content-length" for name, _ in head["headers"])
        )
