"""One WebSocket of a client, as ASGI has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import trio

from anyond.http.wire.fragments import SEND_TEXTS


class Socket:
    """A WebSocket between its opening and its end.

    Attributes:
        path: where it was opened.
        left: whether its client has left.
    """

    def __init__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        self.path: str = scope["path"]
        self.left = False
        self._receive = receive
        self._send = send
        # Our own connection takes many at once.
        self._send_texts = (scope.get("state") or {}).get(SEND_TEXTS, self.send_each)

    async def accept(self) -> None:
        """Answer its opening with yes."""
        await self._send({"type": "websocket.accept", "subprotocol": None, "headers": []})

    async def send_all(self, messages: Iterable[bytes]) -> None:
        """Send texts, each a message; waits while the client is slow to take them."""
        await self._send_texts(messages)

    async def send_each(self, messages: Iterable[bytes]) -> None:
        """The same by way of whoever stands between us and the connection, and looks at them."""
        for message in messages:
            await self._send({"type": "websocket.send", "bytes": None, "text": message.decode()})
            await trio.lowlevel.checkpoint()

    async def receive(self) -> bool:
        """Wait for whatever the client sends; returns whether it is still there."""
        event = await self._receive()
        self.left = event["type"] == "websocket.disconnect"
        return not self.left

    async def close(self, code: int, reason: str) -> None:
        """Close it, and say why."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
