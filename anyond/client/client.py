"""The client for programs with Trio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import httpx
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
from anyond.client.errors import Unanswered
from anyond.client.events import Event
from anyond.client.following import Following, follow_events, follow_frames

P = TypeVar("P", bound=Struct)
B = TypeVar("B")
A = TypeVar("A")

NOTHING = Nothing()
TIMEOUT_S = 300.0
"""How long an answer may take: a merge waits for hooks, and a new attempt for its setup."""


class Client:
    """A connection to the daemon, to be entered with `async with`.

    Args:
        address: where it is; without one it is found, see `find_daemon`.
        timeout_s: seconds until an answer is given up.

    Raises:
        DaemonNotFound: no address was given, and none was found.
    """

    def __init__(self, address: Address | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address or find_daemon()
        socket = self.address.socket
        self._http = httpx.AsyncClient(
            base_url=self.address.url,
            # Certificates are 200 ms of reading, for nothing where there is no TLS.
            transport=httpx.AsyncHTTPTransport(
                uds=str(socket) if socket else None, verify=self.address.url.startswith("https:")
            ),
            headers=messages.headers(self.address.token),
            timeout=timeout_s,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._http.aclose()

    @overload
    async def call(self, endpoint: Call[Nothing, A]) -> A: ...

    @overload
    async def call(self, endpoint: Call[P, A], params: P) -> A: ...

    @overload
    async def call(self, endpoint: BodyCall[P, B, A], params: P, body: B) -> A: ...

    async def call(
        self, endpoint: Answering[Any, A], params: Struct = NOTHING, body: object = None
    ) -> A:
        """The answer of `endpoint`.

        Raises:
            Refused: the daemon refused.
            Unanswered: it could not be reached, or did not answer.
        """
        response = await self._send(messages.request(endpoint, params, body))
        return messages.answer(endpoint, response.status_code, response.content)

    async def upload(self, endpoint: UploadCall[P, A], params: P, name: str, content: bytes) -> A:
        """The answer of `endpoint` to a file with that name. Raises as `call` does."""
        request = messages.request(endpoint, params)
        files = {endpoint.form_field: (name, content)}
        try:
            response = await self._http.request(request.method, request.target, files=files)
        except httpx.TransportError as error:
            raise unanswered(self.address, error) from error
        return messages.answer(endpoint, response.status_code, response.content)

    async def download(self, endpoint: Download[P], params: P) -> bytes:
        """The file that `endpoint` answers. Raises as `call` does."""
        response = await self._send(messages.request(endpoint, params))
        if response.status_code >= 300:
            raise messages.refusal(response.status_code, response.content)
        return response.content

    @asynccontextmanager
    async def follow(self, endpoint: Stream[P], params: P) -> AsyncIterator[Following[Any]]:
        """The frames of a stream, while inside.

        A connection that breaks is made again and goes on after the last frame, for as long as it
        takes; the iteration ends with the stream. It raises `Refused` if the daemon refuses, and
        `Unanswered` if there is no daemon in the beginning. A reader that stops reading holds
        only itself up.
        """
        async with trio.open_nursery() as nursery:
            following: Following[Any] = Following()
            nursery.start_soon(follow_frames, self.address, endpoint, params, following)
            yield following
            nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def follow_events(
        self, endpoint: EventStream[P], params: P
    ) -> AsyncIterator[Following[Event]]:
        """The events of the daemon, while inside; as `follow`, but without an end."""
        async with trio.open_nursery() as nursery:
            following: Following[Event] = Following()
            nursery.start_soon(follow_events, self._http, endpoint, params, following)
            yield following
            nursery.cancel_scope.cancel()

    async def _send(self, request: messages.Request) -> httpx.Response:
        try:
            return await self._http.request(
                request.method, request.target, headers=request.headers, content=request.content
            )
        except httpx.TransportError as error:
            raise unanswered(self.address, error) from error


def unanswered(address: Address, error: Exception) -> Unanswered:
    """Return the sentence on a daemon that did not answer."""
    place, reason = address.socket or address.url, str(error) or type(error).__name__
    return Unanswered(f"The daemon at {place} did not answer: {reason}.")
