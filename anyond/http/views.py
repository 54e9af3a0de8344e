"""Views: the functions behind endpoints, and the kinds of answers that they make of a request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from anyond.http.request.json_request import JsonAnswer, JsonRequest
from anyond.http.streaming.encoders import Encoder
from anyond.http.streaming.sse import Events

T = TypeVar("T")


class FileAnswer(NamedTuple):
    """A file, of which the client may want a part, or nothing if it holds it already.

    Args:
        source: where it is, or what is in it.
        etag: what identifies the content, without quotes.
        headers: those beside the usual ones.
    """

    source: Path | bytes
    content_type: str
    etag: str
    headers: Mapping[str, str] = MappingProxyType({})


class Streamed(NamedTuple, Generic[T]):
    """The frames of a WebSocket, and their writer.

    Args:
        gathers: see `streams.send`.
    """

    source: AsyncIterator[Sequence[T]]
    encoder: Encoder[T]
    gathers: bool = True


class OwnEvents(NamedTuple):
    """A stream of Server-Sent Events that ends by itself.

    Args:
        send_to: writes all of it, given what sends a piece.
    """

    send_to: Callable[[Callable[[bytes], Awaitable[object]]], Awaitable[None]]


EVENT_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
)

Answer = JsonAnswer | FileAnswer | Streamed[Any] | Events | OwnEvents
View = Callable[[Any], Awaitable[Answer]]
"""Given the request: a `JsonRequest`, for routes of the framework a `FormRequest`."""


class Form(Protocol):
    """The form in a request."""

    async def save(
        self, field: str, write: Callable[[bytes], Awaitable[object]], also: Collection[str] = ()
    ) -> str:
        """Write the one file that it has in `field`; see `framework.multipart.save`."""


class FormRequest(JsonRequest, Protocol):
    """A request whose body is a form."""

    @property
    def form(self) -> Form:
        """The body, which is read as it comes in."""
