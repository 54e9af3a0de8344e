"""The client for programs without an event loop: `Client`, run in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from anyio.from_thread import BlockingPortal, start_blocking_portal
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
from anyond.client.address import Address
from anyond.client.client import NOTHING, TIMEOUT_S, Client
from anyond.client.events import Event
from anyond.client.following import Following

P = TypeVar("P", bound=Struct)
B = TypeVar("B")
A = TypeVar("A")
T = TypeVar("T")


class BlockingClient:
    """A connection to the daemon, to be entered with `with`; all as `Client` has it."""

    def __init__(self, address: Address | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = Client(address, timeout_s=timeout_s)
        self._stack = ExitStack()
        self._portal: BlockingPortal

    @property
    def address(self) -> Address:
        return self._client.address

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal("trio"))
        self._stack.enter_context(self._portal.wrap_async_context_manager(self._client))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

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
        params: Struct = NOTHING,
        body: object = None,
        *,
        timeout_s: float | None = None,
    ) -> A:
        """The answer of `endpoint`; see `Client.call`."""
        ask: Any = self._client.call
        arguments = (params, body) if isinstance(endpoint, BodyCall) else (params,)
        found: A = self._portal.call(partial(ask, endpoint, *arguments, timeout_s=timeout_s))
        return found

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
        ask = partial(self._client.upload, endpoint, params, name, content, timeout_s=timeout_s)
        return self._portal.call(ask)

    def download(
        self, endpoint: Download[P], params: P, *, timeout_s: float | None = None
    ) -> bytes:
        """The file that `endpoint` answers; see `Client.download`."""
        ask = partial(self._client.download, endpoint, params, timeout_s=timeout_s)
        return self._portal.call(ask)

    @contextmanager
    def follow(self, endpoint: Stream[P], params: P) -> Iterator[BlockingFollowing[Any]]:
        """The frames of a stream, while inside; see `Client.follow`."""
        manager = self._client.follow(endpoint, params)
        with self._portal.wrap_async_context_manager(manager) as following:
            yield BlockingFollowing(self._portal, following)

    @contextmanager
    def follow_events(
        self, endpoint: EventStream[P], params: P
    ) -> Iterator[BlockingFollowing[Event]]:
        """The events of the daemon, while inside; see `Client.follow_events`."""
        manager = self._client.follow_events(endpoint, params)
        with self._portal.wrap_async_context_manager(manager) as following:
            yield BlockingFollowing(self._portal, following)


class BlockingFollowing(Generic[T]):
    """The messages of a stream, to be iterated by one reader."""

    def __init__(self, portal: BlockingPortal, following: Following[T]) -> None:
        self._portal = portal
        self._following = following

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            return self._portal.call(self._following.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None
