"""The client for programs without an event loop; Trio is not loaded for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from msgspec import Struct

from anyond.api.declaration.endpoint import (
    Answering,
    BodyCall,
    Call,
    Download,
    EventStream,
    Stream,
    UploadCall,
)
from anyond.api.declaration.params import Nothing
from anyond.client import messages
from anyond.client.address import Address, find_daemon
from anyond.client.blocking_connection import BlockingConnection
from anyond.client.refusals import refusal
from anyond.client.waits import TIMEOUT_S

if TYPE_CHECKING:
    from anyond.client.blocking_streams import BlockingFollowing
    from anyond.client.events import Event

P = TypeVar("P", bound=Struct)
B = TypeVar("B")
A = TypeVar("A")

_NOTHING = Nothing()


class BlockingClient:
    """A connection to the daemon, to be entered with `with`; all as `Client` has it.

    Several threads can use one.
    """

    def __init__(self, address: Address | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = BlockingConnection(lambda: address or find_daemon(), timeout_s)

    @property
    def address(self) -> Address:
        """The address of the daemon that was reached last, or is tried."""
        return self._connection.address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held between requests."""

    @overload
    def call(self, endpoint: Call[Nothing, A], *, timeout_s: float | None = None) -> A: ...

    @overload
    def call(self, endpoint: Call[P, A], params: P, *, timeout_s: float | None = None) -> A: ...

    @overload
    def call(
        self, endpoint: BodyCall[P, B, A], params: P, body: B, *, timeout_s: float | None = None
    ) -> A: ...

    def call(
        self,
        endpoint: Answering[Any, A],
        params: Struct = _NOTHING,
        body: object = None,
        *,
        timeout_s: float | None = None,
    ) -> A:
        """The answer of `endpoint`; see `Client.call`."""
        answer = self._connection.send(messages.request(endpoint, params, body), timeout_s)
        return messages.answer(endpoint, answer.status, answer.content)

    def upload(
        self,
        endpoint: UploadCall[P, A],
        params: P,
        name: str,
        content: bytes,
        *,
        timeout_s: float | None = None,
    ) -> A:
        """The answer of `endpoint` to a file; see `Client.upload`."""
        file = (endpoint.form_field, name, content)
        answer = self._connection.send(messages.request(endpoint, params), timeout_s, file)
        return messages.answer(endpoint, answer.status, answer.content)

    def download(
        self, endpoint: Download[P], params: P, *, timeout_s: float | None = None
    ) -> bytes:
        """The file that `endpoint` answers; see `Client.download`."""
        answer = self._connection.send(messages.request(endpoint, params), timeout_s)
        if answer.status >= 300:
            raise refusal(answer.status, answer.content)
        return answer.content

    @contextmanager
    def follow(self, endpoint: Stream[P], params: P) -> Iterator[BlockingFollowing[Any]]:
        """The frames of a stream, while inside; see `Client.follow`."""
        from anyond.client.blocking_streams import BlockingFollowing, follow_frames

        with closing(follow_frames(self._connection, endpoint, params)) as frames:
            yield BlockingFollowing(frames)

    @contextmanager
    def follow_events(
        self, endpoint: EventStream[P], params: P
    ) -> Iterator[BlockingFollowing[Event]]:
        """The events of the daemon, while inside; see `Client.follow_events`."""
        from anyond.client.blocking_streams import BlockingFollowing, follow_events

        with closing(follow_events(self._connection, endpoint, params)) as found:
            yield BlockingFollowing(found)
