"""Requests to endpoints from inside of the daemon, by whoever has sent the one that is answered.

A tool must not allow what its endpoint refuses, so it asks as its caller would: through the same
guard, with the same headers and over the same connection, decoded and encoded alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from anyond.api.declaration.endpoint import Answering, BodyCall, Endpoint
from anyond.http.mcp.messages import Json

Answer = Callable[[Any, Any, Any], Awaitable[None]]
_OF_BODIES = frozenset({b"content-length", b"transfer-encoding", b"content-type", b"accept"})
_NOT_OURS = frozenset({b"if-none-match", b"last-event-id", b"content-encoding"})


class Refused(Exception):
    """An endpoint has refused; the fields are those of its envelope."""

    def __init__(self, status: int, message: str, data: Json | None) -> None:
        super().__init__(message)
        self.status = status
        self.data = data or {}


class Inner:
    """The endpoints, for the sender of one request.

    Args:
        answer: the application.
        scope: of the request that is answered, as ASGI has it.
        receive: of that request; tells when its client leaves.
    """

    def __init__(self, answer: Answer, scope: Any, receive: Any) -> None:
        self._answer = answer
        self._scope = scope
        self._receive = receive
        self._link = ""

    async def call(self, endpoint: Answering[Any, Any], arguments: Json) -> Any:
        """The `data` of what `endpoint` answers; of a list that comes in pages, the first part.

        Args:
            arguments: parameters by the names of their fields, and fields of the body.

        Raises:
            Refused: as the endpoint does; a parameter that is missing or malformed is named.
        """
        left = dict(arguments)
        path, query = endpoint.path, {}
        for parameter in endpoint.parameters():
            value = left.pop(parameter.field, None)
            if parameter.place == "path":
                if not isinstance(value, str) or not value:
                    raise Refused(400, f"{parameter.field}: is missing", {"type": "invalid"})
                path = path.replace("{" + parameter.name + "}", quote(value, safe=""))
            elif value is not None:
                query[parameter.name] = _text(value)
        body = msgspec.json.encode(left) if isinstance(endpoint, BodyCall) else b""
        status, content = await self._ask(endpoint, path, urlencode(query), body)
        return _data(endpoint, status, content)

    @property
    def cursor(self) -> str | None:
        """The place where the list goes on that was read last; None if that was all."""
        address = self._link.partition(">")[0].lstrip("<")
        return parse_qs(urlsplit(address).query).get("cursor", [None])[0]

    async def _ask(
        self, endpoint: Endpoint[Any], path: str, query: str, body: bytes
    ) -> tuple[int, bytes]:
        headers = [
            (name, value)
            for name, value in self._scope["headers"]
            if name not in _OF_BODIES and name not in _NOT_OURS
        ]
        if body:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", b"%d" % len(body)))
        scope = {
            **self._scope,
            "method": endpoint.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
        }
        status, pieces, is_read = 0, list[bytes](), False
        self._link = ""

        async def receive() -> Any:
            nonlocal is_read
            if is_read:
                return await self._receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._link = dict(message["headers"]).get(b"link", b"").decode("latin-1")
            else:
                pieces.append(message.get("body", b""))

        await self._answer(scope, receive, send)
        return status, b"".join(pieces)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _data(endpoint: Answering[Any, Any], status: int, content: bytes) -> Any:
    found = msgspec.json.decode(content) if content else {}
    if status >= 300:
        sent = found.get("message") if isinstance(found, dict) else None
        data = found.get("error_data") if isinstance(found, dict) else None
        raise Refused(status, sent or f"It was refused with {status}.", data)
    return found if endpoint.bare else found["data"]
