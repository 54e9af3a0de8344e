"""A request for JSON as its endpoint reads it, whichever way it has come, and its whole answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

import trio

from anyond.http.request.body import ClientLeft, Late, TooLong

JSON = "application/json"
BODY_SECONDS = 30
"""How long a whole body may take to arrive."""
_UNREAD_SECONDS = 0.005
"""How long the rest of a body that nobody reads may take, so that its connection goes on."""

_OF_BODIES = frozenset({b"content-length", b"transfer-encoding"})


class Texts(Protocol):
    """A source of texts by name; the first, if there are several."""

    def get(self, name: str, /) -> str | None: ...


class JsonRequest(Protocol):
    """The parts of a request that endpoints read."""

    @property
    def path_params(self) -> Texts: ...

    @property
    def query(self) -> Texts: ...

    @property
    def headers(self) -> Texts:
        """Looked up in lower case."""

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            Exception: it is too long, or late, or its client has left; see `refusal`.
        """


class JsonAnswer(NamedTuple):
    """A whole answer; without a content type it has no body either."""

    status: int
    body: bytes
    content_type: str | None = JSON
    headers: Mapping[str, str] = MappingProxyType({})


def media_type(request: JsonRequest) -> str:
    """Return the media type of the body, in lower case, without parameters; "" if none is given."""
    return (request.headers.get("content-type") or "").partition(";")[0].strip().lower()


class AsgiRequest:
    """A request read from ASGI itself, of which nothing is made that its endpoint does not read.

    Args:
        path_params: the texts in its path, by their names.
        longest: the bytes that its body may have.
    """

    def __init__(self, scope: Any, receive: Any, path_params: dict[str, str], longest: int) -> None:
        self.path_params = path_params
        self._scope = scope
        self._receive = receive
        self._longest = longest
        self._is_read = False

    @property
    def scope(self) -> Any:
        """The request as ASGI has it."""
        return self._scope

    @property
    def receive(self) -> Any:
        """The source of the body; after it, of the news that the client has left."""
        return self._receive

    @cached_property
    def query(self) -> dict[str, str]:
        text = self._scope["query_string"].decode("latin-1")
        return dict(reversed(parse_qsl(text, keep_blank_values=True, errors="replace")))

    @cached_property
    def headers(self) -> dict[str, str]:
        return {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in reversed(self._scope["headers"])
        }

    async def read(self) -> bytes:
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > self._longest:
            raise TooLong
        pieces: list[bytes] = []
        size = 0
        with trio.move_on_after(BODY_SECONDS) as scope:
            while True:
                message = await self._receive()
                if message["type"] != "http.request":
                    raise ClientLeft
                piece = message.get("body", b"")
                size += len(piece)
                if size > self._longest:
                    raise TooLong
                pieces.append(piece)
                if not message.get("more_body", False):
                    self._is_read = True
                    break
        if scope.cancelled_caught:
            raise Late
        return b"".join(pieces)

    async def finish(self) -> None:
        """Take what is here of a body that nobody has read.

        An answer before the end of its body ends a connection, and most clients send both at once.
        """
        if self._is_read or not any(name in _OF_BODIES for name, _ in self._scope["headers"]):
            return
        with trio.move_on_after(_UNREAD_SECONDS):
            while (await self._receive()).get("more_body", False):
                pass
