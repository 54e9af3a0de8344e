"""One question to GitHub and its answer: the connection, the deadline, the limits."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import trio
from msgspec import Struct

from anyond import __version__
from anyond.github.answers import Complaint
from anyond.model.refusals.remotes import Slow, Unexpected, Unreachable

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")

TIMEOUT_S = 20.0
LARGEST_ANSWER = 8 * 1024**2
_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 3600.0


class Answer(Struct, frozen=True):
    """An answer, whatever it says."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def decoded(self, kind: type[T]) -> T:
        """Raises `Unexpected`."""
        try:
            return msgspec.json.decode(self.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unexpected("GitHub", f"status {self.status}, {error}") from error

    @property
    def complaint(self) -> Complaint:
        """The reason why it was refused; empty if it does not say in a way that we can read."""
        try:
            return msgspec.json.decode(self.content, type=Complaint)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Complaint()

    @property
    def pause(self) -> float | None:
        """Seconds for which nothing must be asked; None if this is no matter of how much was."""
        if self.status not in {403, 429}:
            return None
        wait = _number(self.headers.get("retry-after"))
        if wait is None and self.headers.get("x-ratelimit-remaining") == "0":
            reset = _number(self.headers.get("x-ratelimit-reset"))
            wait = _PAUSE_S if reset is None else reset - time.time()
        if wait is None and (self.status == 429 or "rate limit" in self.complaint.message.lower()):
            wait = _PAUSE_S
        return None if wait is None else min(max(wait, 1.0), _LONGEST_PAUSE_S)


class Exchange:
    """Asks over HTTP. The library for it is loaded at the first question; a daemon that never asks
    has no use for it.

    Args:
        timeout_s: seconds for a whole question.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._tls: ssl.SSLContext | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once; the answer may be of any status.

        Args:
            body: sent as JSON.
            form: sent as a form instead, as sign-ins want it.

        Raises:
            Unreachable, Slow, Unexpected: see there.
        """
        kind = "application/json" if form is not None else "application/vnd.github+json"
        sent = {"Accept": kind, "User-Agent": f"anyon/{__version__}", **(headers or {})}
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            sent["Content-Type"] = "application/json"
        httpx = await trio.to_thread.run_sync(importlib.import_module, "httpx")
        try:
            with trio.fail_after(self._timeout_s):
                client = httpx.AsyncClient(
                    verify=await self._trust(httpx),
                    timeout=self._timeout_s,
                    # A repository that was renamed. The token is not sent on to other hosts.
                    follow_redirects=True,
                    max_redirects=5,
                )
                async with (
                    client,
                    client.stream(
                        method,
                        url,
                        params=dict(query) if query else None,
                        content=content,
                        data=dict(form) if form is not None else None,
                        headers=sent,
                    ) as response,
                ):
                    return Answer(response.status_code, response.headers, await _whole(response))
        except (trio.TooSlowError, httpx.TimeoutException) as error:
            raise Slow("GitHub", self._timeout_s) from error
        except (httpx.TooManyRedirects, httpx.DecodingError, httpx.RemoteProtocolError) as error:
            raise Unexpected("GitHub", str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"GitHub ({urlsplit(url).hostname})", str(error)) from error

    async def _trust(self, httpx: Any) -> ssl.SSLContext:
        """The trusted certificates: read once, away from the loop, as it takes a while."""
        if self._tls is None:
            fresh: ssl.SSLContext = await trio.to_thread.run_sync(httpx.create_ssl_context)
            self._tls = fresh
        return self._tls


async def _whole(response: Any) -> bytes:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise Unexpected("GitHub", f"more than {LARGEST_ANSWER} bytes")
    return content


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
