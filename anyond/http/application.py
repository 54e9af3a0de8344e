"""The application that every request goes through: the guard first, and one answer to mistakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import trio

from anyond.api.declaration.endpoint import WEBSOCKET
from anyond.http import direct, permissions
from anyond.http.answer.envelope import success
from anyond.http.answer.refusal import Misdirected, Refusal, refusal
from anyond.http.guard import Asked, Policy
from anyond.http.request.json_request import AsgiRequest
from anyond.http.request.params import check_text
from anyond.http.routing import Routes
from anyond.http.wire.connection import ORIGIN, PEER
from anyond.model.errors import AnyondError, Unavailable

REFUSED = "anyon.refused"
"""A list in the scope of a request, for a gateway that wants to know with which error it ended."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Any, Receive, Send], Awaitable[None]]


class Gateway(Protocol):
    """The whole API in another shape; an ASGI application that asks `App.answer` in the end."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None: ...

    def listener_app(self, ui: Path | None) -> AsgiApp:
        """Return the application of a listener on which every path has this shape.

        Args:
            ui: a directory with a front end, for whatever is not the API.

        Raises:
            Invalid: there is no front end.
        """


class App:
    """The application of a listener, as ASGI has it. Whatever goes wrong in it is answered by
    `refusal`, in the envelope.

    Args:
        closing: set when the daemon stops.
        home: where the browser goes that has opened a one-time link.
        pages: whether it serves a front end and nothing of the API; see `Policy.check`.

    Attributes:
        routes: everything of the API that is answered.
        pages: what is shown to people beside it; links on other sites may lead there.
        gateways: other shapes of the API, by the first part of the paths that they have.
        formats: the same by the `format` that a WebSocket asks for.
    """

    def __init__(
        self, policy: Policy, closing: trio.Event, home: str = "/", *, pages: bool = False
    ) -> None:
        self.policy = policy
        self.routes = Routes()
        self.pages = Routes()
        self.gateways: dict[str, Gateway] = {}
        self.formats: dict[str, Gateway] = {}
        self._closing = closing
        self._home = home
        self._pages = pages
        self._framework: AsgiApp | None = None
        self._loading = trio.Lock()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request or WebSocket, as ASGI has it."""
        gateway = self._gateway(scope)
        if gateway is not None:
            await gateway(scope, receive, send)
        else:
            await self.answer(scope, receive, send, self._routes_for(scope))

    def gateway(self, name: str) -> Gateway:
        """The API in the shape of that name. Raises `Unavailable` if this program lacks it."""
        if name not in self.gateways:
            raise Unavailable(f"This installation of Anyon comes without the wire format {name}.")
        return self.gateways[name]

    def _gateway(self, scope: Any) -> Gateway | None:
        found = self.gateways.get(scope["path"].lstrip("/").partition("/")[0])
        if found is None and scope["type"] == "websocket" and b"format=" in scope["query_string"]:
            asked = parse_qs(scope["query_string"].decode("latin-1")).get("format", [""])
            found = self.formats.get(asked[0])
        return found

    def _routes_for(self, scope: Any) -> Routes:
        is_page = scope["type"] == "http" and self.pages.methods(scope["path"])
        return self.pages if is_page else self.routes

    async def answer(
        self, scope: Any, receive: Receive, send: Send, routes: Routes | None = None
    ) -> None:
        """The same in its plain shape; the guard is asked before anything else.

        Args:
            routes: in which it is looked for; those of the API if left out.
        """
        asked = _asked(scope)
        routes = routes or self.routes
        origin = self.policy.foreign_origin(asked)
        cors = _cors(origin) if origin else {}
        try:
            cookie = self.policy.check(asked, pages=self._pages or routes is self.pages)
            check_text(asked.query)
        except AnyondError as error:
            return await direct.refuse(scope, send, refusal(error, asked.method, asked.path), cors)
        if cookie is not None:
            seen = {"Location": self._home, "Set-Cookie": cookie, "Cache-Control": "no-store"}
            return await direct.refuse(scope, send, Refusal(303, b"", seen))
        if origin and asked.method == "OPTIONS":
            json = {"Content-Type": "application/json"}
            return await direct.refuse(scope, send, Refusal(200, success(b"null"), json), cors)
        send = _with(cors, send) if cors else send
        refused = scope.get(REFUSED, [])
        method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
        try:
            found = routes.find(method, scope["path"])
        except Misdirected as error:
            refused.append(error)
            if scope["type"] == "http":
                await AsgiRequest(scope, receive, {}, 0).finish()
            return await direct.refuse(scope, send, refusal(error, method, scope["path"]))
        peer = (scope.get("state") or {}).get(ORIGIN)
        try:
            caller = await self.policy.caller(asked, found.route.scope, peer)
            permissions.check(found.route, caller)
        except AnyondError as error:
            refused.append(error)
            if scope["type"] == "http":
                await AsgiRequest(scope, receive, {}, 0).finish()
            return await direct.refuse(scope, send, refusal(error, method, scope["path"]))
        permissions.CALLER.set(caller)
        with permissions.bounded(caller):
            if found.route.framework:
                return await (await self._with_framework())(scope, receive, send)
            valid = partial(self.policy.valid, caller)
            exchange = direct.Exchange(scope, receive, send, valid)
            return await direct.answer(found, exchange, refused, self._closing)

    async def _with_framework(self) -> AsgiApp:
        """The framework over the routes that need it; it is loaded for the first of them.

        It costs a third of the daemon's start and a quarter of its memory.
        """
        async with self._loading:
            if self._framework is None:
                self._framework = await trio.to_thread.run_sync(self._load_framework)
        return self._framework

    def _load_framework(self) -> AsgiApp:
        from anyond.http.framework.app import create_app

        return create_app((r for r in self.routes if r.framework), REFUSED)


def _asked(scope: Any) -> Asked:
    return Asked(
        method=scope.get("method", "GET"),
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        },
        local=scope["client"] is None,
        user=(scope.get("state") or {}).get(PEER),
    )


def _cors(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, Last-Event-ID",
        "Access-Control-Expose-Headers": "ETag, Link",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _with(more: dict[str, str], send: Send) -> Send:
    """`send`, but the head of an answer gets `more` headers."""

    async def wrapped(message: Any) -> None:
        if message["type"].endswith("response.start"):
            message = {**message, "headers": [*message["headers"], *direct.raw(more)]}
        await send(message)

    return wrapped
