"""The client for programs with Trio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import trio
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
from anyond.client.connection import Connection
from anyond.client.events import Event
from anyond.client.following import Following, follow_events, follow_frames
from anyond.client.refusals import refusal
from anyond.client.waits import TIMEOUT_S

P = TypeVar("P", bound=Struct)
B = TypeVar("B")
A = TypeVar("A")

NOTHING = Nothing()


class Client:
    """A connection to the daemon, to be entered with `async with`.

    Args:
        address: where it is; without one it is found, see `find_daemon`.
        timeout_s: seconds until an answer is given up, unless a call has its own.

    Raises:
        DaemonNotFound: no address was given, and none was found.
    """

    def __init__(self, address: Address | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = Connection(lambda: address or find_daemon(), timeout_s)

    @property
    def address(self) -> Address:
        """The address of the daemon that was reached last, or is tried."""
        return self._connection.address

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._connection.close()

    @overload
    async def call(self, endpoint: Call[Nothing, A], *, timeout_s: float | None = None) -> A: ...

    @overload
    async def call(
        self, endpoint: Call[P, A], params: P, *, timeout_s: float | None = None
    ) -> A: ...

    @overload
    async def call(
        self, endpoint: BodyCall[P, B, A], params: P, body: B, *, timeout_s: float | None = None
    ) -> A: ...

    async def call(
        self,
        endpoint: Answering[Any, A],
        params: Struct = NOTHING,
        body: object = None,
        *,
        timeout_s: float | None = None,
    ) -> A:
        """The answer of `endpoint`.

        Args:
            timeout_s: seconds until the answer is given up.

        Raises:
            Refused: the daemon refused; also of the class that the endpoint declares.
            Unanswered: it could not be reached, or did not answer.
            DeadlinePassed: it did not answer in time. A deadline of Trio cancels as well.
        """
        response = await self._connection.send(messages.request(endpoint, params, body), timeout_s)
        return messages.answer(endpoint, response.status_code, response.content)

    async def upload(
        self,
        endpoint: UploadCall[P, A],
        params: P,
        name: str,
        content: bytes,
        *,
        timeout_s: float | None = None,
    ) -> A:
        """The answer of `endpoint` to a file with that name. Raises as `call` does."""
        files = {endpoint.form_field: (name, content)}
        response = await self._connection.send(messages.request(endpoint, params), timeout_s, files)
        return messages.answer(endpoint, response.status_code, response.content)

    async def download(
        self, endpoint: Download[P], params: P, *, timeout_s: float | None = None
    ) -> bytes:
        """The file that `endpoint` answers. Raises as `call` does."""
        response = await self._connection.send(messages.request(endpoint, params), timeout_s)
        if response.status_code >= 300:
            raise refusal(response.status_code, response.content)
        return response.content

    @asynccontextmanager
    async def follow(self, endpoint: Stream[P], params: P) -> AsyncIterator[Following[Any]]:
        """The frames of a stream, while inside.

        A connection that breaks is made again and goes on after the last frame, for as long as it
        takes; the iteration ends with the stream. It raises `Refused` if the daemon refuses,
        `StreamFailed` if it cannot go on, and `Unanswered` if there is no daemon in the
        beginning. A reader that stops reading holds only itself up.
        """
        following: Following[Any] = Following()
        task = partial(follow_frames, self._connection, endpoint, params, following)
        async with _beside(task):
            yield following

    @asynccontextmanager
    async def follow_events(
        self, endpoint: EventStream[P], params: P
    ) -> AsyncIterator[Following[Event]]:
        """The events of the daemon, while inside; as `follow`, but without an end."""
        following: Following[Event] = Following()
        task = partial(follow_events, self._connection, endpoint, params, following)
        async with _beside(task):
            yield following


@asynccontextmanager
async def _beside(task: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run `task` while inside; what is raised inside leaves as it is, and not in a group."""
    raised: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(task)
        try:
            yield
        except Exception as error:  # all, to be raised again
            raised = error
        nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised
