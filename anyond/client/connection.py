"""Requests to the daemon over HTTP, wherever it is at the moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import trio

from anyond.client import messages
from anyond.client.address import Address
from anyond.client.errors import DaemonNotFound, DeadlinePassed, Unanswered


class Connection:
    """HTTP connections to one daemon.

    Args:
        locate: finds the daemon; asked again when it cannot be reached, since one that was
            restarted may be at another port.
        timeout_s: seconds until an answer is given up, unless a request has its own.
    """

    def __init__(self, locate: Callable[[], Address], timeout_s: float) -> None:
        self._locate = locate
        self._timeout_s = timeout_s
        self.address = locate()
        self.http = _http(self.address)

    async def send(
        self, request: messages.Request, timeout_s: float | None = None, files: Any = None
    ) -> httpx.Response:
        """The answer, with its whole body.

        Raises:
            Unanswered: there is none.
            DeadlinePassed: there is none yet.
        """
        seconds = self._timeout_s if timeout_s is None else timeout_s
        with trio.move_on_after(seconds):
            used = self.address
            try:
                return await self._sent(request, files)
            except httpx.ConnectError as error:
                if not await self.relocate(used):
                    raise self.unanswered(error) from error
            except httpx.TransportError as error:
                raise self.unanswered(error) from error
            try:  # nothing of it was sent before
                return await self._sent(request, files)
            except httpx.TransportError as error:
                raise self.unanswered(error) from error
        raise DeadlinePassed(f"The daemon at {self._place} did not answer within {seconds:g} s.")

    async def relocate(self, failed: Address) -> bool:
        """Find the daemon again; returns whether it is elsewhere than at `failed`."""
        try:
            address = self._locate()
        except DaemonNotFound:
            return False
        if address != self.address:
            former, self.address, self.http = self.http, address, _http(address)
            await former.aclose()
        return address != failed

    async def close(self) -> None:
        """Close all connections."""
        with trio.CancelScope(shield=True):
            await self.http.aclose()

    def unanswered(self, reason: Exception | None) -> Unanswered:
        """The error of a daemon that did not answer, for that reason."""
        why = "it closed" if reason is None else str(reason) or type(reason).__name__
        return Unanswered(f"The daemon at {self._place} did not answer: {why}.")

    @property
    def _place(self) -> object:
        return self.address.socket or self.address.url

    async def _sent(self, request: messages.Request, files: Any) -> httpx.Response:
        return await self.http.request(
            request.method,
            request.target,
            headers=request.headers,
            content=None if files else request.content,
            files=files,
        )


def _http(address: Address) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=address.url,
        # Certificates are 200 ms of reading, for nothing where there is no TLS.
        transport=httpx.AsyncHTTPTransport(
            uds=str(address.socket) if address.socket else None,
            verify=address.url.startswith("https:"),
        ),
        headers=messages.headers(address.token),
        timeout=None,  # requests have deadlines as a whole
    )
