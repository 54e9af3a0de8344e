"""Access to the daemon: the allowed hosts, origins, and tokens."""

from __future__ import annotations

import hmac
import ipaddress
import math
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

import trio
from msgspec import structs

from anyond.http.wire.origin import Origin
from anyond.model.access import AGENT_SCOPES, Caller, CallerKind, Scope
from anyond.model.errors import AnyondError, Unauthorized
from anyond.model.refusals.requests import Invalid, NotLetIn

COOKIE = "anyon"
_LARGEST_LINKS = 16
LINK_S = 300.0
"""Links that are asked for work so long."""


class Asked(NamedTuple):
    """The facts of a request that the guard needs.

    Args:
        headers: names in lower case; of headers that came twice, the last.
        local: whether it came through a Unix socket, which browsers cannot reach.
        user: the user of this machine who sent it; None if that cannot be known.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    local: bool = False
    user: int | None = None


class TokenSource(Protocol):
    """The tokens that there are beside the daemon's own; see `anyond.services.tokens`."""

    def find(self, text: str) -> Caller | None: ...

    async def admit(self, caller: Caller) -> None: ...

    def valid(self, caller: Caller) -> AbstractContextManager[trio.CancelScope]: ...


class _OneTime(NamedTuple):
    """A link: the code in it, the cookie that it gives, and until when (Trio's clock)."""

    code: str
    cookie: str
    deadline: float


class Policy:
    """The permissions by the person who started the daemon.

    A web page of a stranger can make a browser send requests to this machine, and can even make
    its own name resolve to it. Host keeps out the second, Origin and Sec-Fetch-Site the first.

    Args:
        hosts: names besides the loopback ones that may be in Host, with or without a port.
        origins: origins besides the daemon's own whose pages may use it, `https://x.example`.
        token: what everybody must know; None lets in those `users` who reach the socket.
        users: ids of users of this machine; None are all. A token counts for more.
        executions: the directory of the spools; a program that runs below one of their shims is
            known as that execution. None lets nobody look.
        tokens: those beside `token`; whoever shows one may do what that allows, and no more.

    Attributes:
        url: where links lead, once it is known.
        vk_url: the same for clients of vibe-kanban.
    """

    def __init__(
        self,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        token: str | None = None,
        users: Iterable[int] | None = None,
        *,
        executions: Path | None = None,
        tokens: TokenSource | None = None,
    ) -> None:
        self.tokens = tokens
        self.url: str | None = None
        self.vk_url: str | None = None
        self._executions = None if executions is None else os.path.realpath(executions)
        self._users = None if users is None else frozenset(users)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self.origins = tuple(sorted(self._origins))
        self._token = token
        self._links: list[_OneTime] = []
        # Not the token itself, so that the browser's files do not hold what the header needs.
        self._cookie = hmac.digest(token.encode(), b"cookie", "sha256").hex() if token else ""

    def admit(self, hosts: Iterable[str]) -> None:
        """More names that may be in Host: those of the addresses that are listened at."""
        self._hosts |= {host.lower() for host in hosts}

    def link(self, cookie: str | None = None, seconds: float = math.inf) -> str:
        """A code that works once: `/?token=<code>` gives the browser that opens it the cookie.

        Args:
            cookie: a token; None gives what the daemon's own token gives.
            seconds: how long it works.
        """
        code = secrets.token_urlsafe(24)
        link = _OneTime(code, cookie or self._cookie, trio.current_time() + seconds)
        self._links = [*self._links[-_LARGEST_LINKS + 1 :], link]
        return code

    def check(self, asked: Asked, *, pages: bool = False) -> str | None:
        """Decide whether the request may go on.

        Args:
            pages: whether what is asked for are files of a front end, and nothing of the API: to
                those a link on another site may lead, and the pages that they allow may frame them.

        Returns:
            None if it may; the Set-Cookie header if it was a one-time link, which is used up.

        Raises:
            Forbidden, Unauthorized, Invalid: it must not.
        """
        if not asked.path.startswith("/"):
            raise Invalid("path", "must begin with a slash")
        self._check_user(asked)
        self._check_host(asked)
        if not (pages and _navigates(asked)):
            self._check_origin(asked)
        preflight = asked.method == "OPTIONS" and self.foreign_origin(asked) is not None
        if preflight:
            return None
        cookie = self._welcome(asked)
        if cookie is None and self._token is not None:
            self._check_token(asked, self._token)
        return cookie

    async def caller(self, asked: Asked, needed: Scope, origin: Origin | None) -> Caller:
        """The caller of a request that `check` lets in.

        Whatever is sent by a process of an execution, for more than to read, is sent by that
        execution.

        Args:
            needed: the scope of what is asked for.
            origin: the other end of the connection, if that can be known.

        Raises:
            Unauthorized: it shows a token that holds no longer.
        """
        kind = CallerKind.USER if self._token is None else CallerKind.TOKEN
        found = self._holder(asked) or Caller(kind=kind)
        if self.tokens is not None:
            await self.tokens.admit(found)
        if needed is not Scope.READ and origin is not None and self._executions is not None:
            execution = await origin.execution(self._executions)
            if execution is not None:
                kind = CallerKind.EXECUTION
                found = Caller(kind=kind, execution_id=execution, scopes=AGENT_SCOPES)
        return structs.replace(found, uid=asked.user, local=asked.local)

    @contextmanager
    def valid(self, caller: Caller) -> Iterator[trio.CancelScope]:
        """Cancel the block as soon as the token of `caller` does not hold any more."""
        if self.tokens is None:
            yield trio.CancelScope()
        else:
            with self.tokens.valid(caller) as scope:
                yield scope

    def _holder(self, asked: Asked) -> Caller | None:
        """The holder of a token of `tokens` that is sent along; the first that is one.

        Raises:
            Unauthorized: it holds no longer.
        """
        if self.tokens is not None:
            for text in _sent_tokens(asked):
                if (found := self.tokens.find(text)) is not None:
                    return found
        return None

    def _welcome(self, asked: Asked) -> str | None:
        """The Set-Cookie header for whoever opens a one-time link, else None."""
        if asked.path != "/" or asked.method != "GET":
            return None
        for code in parse_qs(asked.query).get("token", []):
            for known in self._links:
                if _equal(code, known.code) and trio.current_time() < known.deadline:
                    self._links.remove(known)
                    return f"{COOKIE}={known.cookie}; Path=/; HttpOnly; SameSite=Strict"
        return None

    def foreign_origin(self, asked: Asked) -> str | None:
        """The allowed foreign origin that asks, which the answer must name for its browser."""
        origin = asked.headers.get("origin")
        return origin if origin is not None and origin.lower() in self._origins else None

    def _check_user(self, asked: Asked) -> None:
        if self._users is None or self._token is not None or asked.user is None:
            return
        if asked.user not in self._users:
            raise _refused(
                "This daemon belongs to another user of this machine. Its owner can let in others "
                "by the token: anyon serve --auth token."
            )

    def _check_host(self, asked: Asked) -> None:
        host = asked.headers.get("host", "").lower()
        name = _name(host)
        if asked.local or host in self._hosts or name in self._hosts or _is_loopback(name):
            return
        raise _refused(f"The Host {host!r} is not this daemon's. Allow it with --allowed-host.")

    def _check_origin(self, asked: Asked) -> None:
        if self.foreign_origin(asked) is not None:
            return
        origin = asked.headers.get("origin")
        if origin is not None and not _is_same(origin, asked.headers.get("host", "")):
            raise _refused(f"Pages of {origin!r} may not use this daemon; see --allowed-origin.")
        if asked.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise _refused("Pages of other sites may not use this daemon; see --allowed-origin.")

    def _check_token(self, asked: Asked, token: str) -> None:
        bearer, *cookies = _sent_tokens(asked)
        if _equal(bearer, token) or any(_equal(value, self._cookie) for value in cookies):
            return
        if self._holder(asked) is not None:
            return
        if asked.path == "/" and "token" in parse_qs(asked.query):
            raise Unauthorized(
                "That link does not work (any more): each lets in one browser, and only until"
                " the daemon stops. A new one is printed when it starts."
            )
        raise Unauthorized("This daemon wants its token: send Authorization: Bearer <token>.")


def _navigates(asked: Asked) -> bool:
    """Return whether a browser wants to show it as a page, whose content the asking page cannot
    read.
    """
    mode = asked.headers.get("sec-fetch-mode")
    return asked.method in {"GET", "HEAD"} and mode == "navigate" and "origin" not in asked.headers


def _sent_tokens(asked: Asked) -> list[str]:
    """The tokens that are sent: first that of the header, or "", then those of cookies."""
    scheme, _, given = asked.headers.get("authorization", "").partition(" ")
    found = [given.strip() if scheme.lower() == "bearer" else ""]
    for pair in asked.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            found.append(value)
    return found


def _refused(message: str) -> AnyondError:
    return NotLetIn(message)


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _name(host: str) -> str:
    """The name in a Host header, without the port and without brackets; "" if it is nonsense."""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        return name if not port or _is_port(port.removeprefix(":")) else ""
    name, colon, port = host.partition(":")
    return name if not colon or _is_port(port) else ""


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit()


@lru_cache(maxsize=64)
def _is_loopback(name: str) -> bool:
    if name in {"localhost", "localhost."}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_same(origin: str, host: str) -> bool:
    """Return whether `origin` is a page of this daemon, behind TLS or not; `null` never is."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    ports = {"http": ":80", "https": ":443"}
    if parts.scheme not in ports or not parts.netloc:
        return False
    default = ports[parts.scheme]
    return parts.netloc.removesuffix(default) == host.lower().removesuffix(default)
