"""The application that every request goes through: the guard first, and one answer to mistakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

from quart import Response, has_websocket_context, request, websocket
from quart.routing import QuartRule
from quart_trio import QuartTrio
from werkzeug.routing import Rule

from anyond.http import direct
from anyond.http.answer.envelope import success
from anyond.http.answer.refusal import Refusal, cancelled, departed, refusal
from anyond.http.direct import DirectRoutes
from anyond.http.guard import Asked, Policy
from anyond.http.request.body import largest
from anyond.http.request.json_request import BODY_SECONDS
from anyond.http.request.multipart import UploadRequest
from anyond.http.request.params import check_text
from anyond.http.wire.connection import PEER
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


class _Path(QuartRule):
    """A path that is matched, and compiles how it would be built only if somebody builds it.

    No URL is ever built here; a function compiled twice for each of the paths was a twentieth of
    the daemon's start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


class App(QuartTrio):
    """The application. Whatever goes wrong in it is answered by `refusal`, in the envelope.

    Args:
        home: where the browser goes that has opened a one-time link.
        pages: whether it serves a front end and nothing of the API; see `Policy.check`.

    Attributes:
        gateways: other shapes of the API, by the first part of the paths that they have.
        formats: the same by the `format` that a WebSocket asks for.
        direct: what is answered without Quart.
    """

    request_class = UploadRequest
    url_rule_class = _Path  # type: ignore[assignment]  # as Quart has it itself

    def __init__(self, policy: Policy, home: str = "/docs", *, pages: bool = False) -> None:
        super().__init__("anyond", static_folder=None)
        self.policy = policy
        self.gateways: dict[str, Gateway] = {}
        self.formats: dict[str, Gateway] = {}
        self.direct = DirectRoutes()
        self._home = home
        self._pages = pages
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        # The connection itself watches for readers that stall (see connection.py); a slow but
        # steady one may take as long as it needs, so no answer has a time limit.
        self.config["RESPONSE_TIMEOUT"] = None
        self.config["BODY_TIMEOUT"] = BODY_SECONDS
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request or WebSocket, as ASGI has it."""
        answer = self._gateway(scope) or self.answer
        try:
            await answer(scope, receive, send)
        except Exception as error:
            if not departed(error):
                raise

    def gateway(self, name: str) -> Gateway:
        """The API in the shape of that name. Raises `Unavailable` if this program lacks it."""
        if name not in self.gateways:
            raise Unavailable(f"This installation of Anyon comes without the wire format {name}.")
        return self.gateways[name]

    def _gateway(self, scope: Any) -> Gateway | None:
        if scope["type"] not in {"http", "websocket"}:
            return None
        found = self.gateways.get(scope["path"].lstrip("/").partition("/")[0])
        if found is None and scope["type"] == "websocket" and b"format=" in scope["query_string"]:
            asked = parse_qs(scope["query_string"].decode("latin-1")).get("format", [""])
            found = self.formats.get(asked[0])
        return found

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        """The same in its plain shape; the guard is asked before anything else."""
        if scope["type"] not in {"http", "websocket"}:
            return await super().__call__(scope, receive, send)
        asked = _asked(scope)
        origin = self.policy.foreign_origin(asked)
        cors = _cors(origin) if origin else {}
        try:
            cookie = self.policy.check(asked, pages=self._pages)
            check_text(asked.query)
        except AnyondError as error:
            return await _answer(scope, send, refusal(error, asked.method, asked.path), cors)
        if cookie is not None:
            seen = {"Location": self._home, "Set-Cookie": cookie, "Cache-Control": "no-store"}
            return await _answer(scope, send, Refusal(303, b"", seen))
        if origin and asked.method == "OPTIONS":
            json = {"Content-Type": "application/json"}
            return await _answer(scope, send, Refusal(200, success(b"null"), json), cors)
        send = _with(cors, send) if cors else send
        if scope["type"] == "http":
            found = self.direct.find(scope["method"], scope["path"])
            if found is not None:
                return await direct.answer(found, scope, receive, send, scope.get(REFUSED, []))
            receive = _bounded(receive, largest(scope["path"]))
        return await super().__call__(scope, receive, send)

    # Before the error, Quart hands over its context from version 0.23 on.

    async def handle_user_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    async def handle_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    async def handle_websocket_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    def _refuse(self, error: BaseException) -> Response:
        if cancelled(error) or departed(error):
            raise error
        asked = websocket if has_websocket_context() else request
        scope: dict[str, Any] = asked.scope  # type: ignore[assignment]  # with a key of ours
        scope.get(REFUSED, []).append(error)
        method = "WEBSOCKET" if has_websocket_context() else request.method
        status, body, headers = refusal(error, method, asked.path)
        return Response(body, status, headers)


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
        "Access-Control-Expose-Headers": "ETag",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _bounded(receive: Receive, most: int) -> Receive:
    """`receive`, but a body ends as soon as it is too large.

    Quart itself looks at the size of a body without a length only at its end (from 0.23 on), and
    keeps all of it until then. What it gets here is too large still, so it refuses it.
    """
    size = 0

    async def bounded() -> Any:
        nonlocal size
        message = await receive()
        while message["type"] == "http.request" and size > most:
            message = await receive()  # nobody wants the rest
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            if size > most:
                return {**message, "more_body": False}
        return message

    return bounded


def _with(more: dict[str, str], send: Send) -> Send:
    """`send`, but the head of an answer gets `more` headers."""

    async def wrapped(message: Any) -> None:
        if message["type"].endswith("response.start"):
            message = {**message, "headers": [*message["headers"], *_raw(more)]}
        await send(message)

    return wrapped


async def _answer(
    scope: Any, send: Send, refused: Refusal, more: dict[str, str] | None = None
) -> None:
    """Answer without the application; a WebSocket gets an HTTP answer instead of its upgrade."""
    kind = "websocket.http" if scope["type"] == "websocket" else "http"
    headers = {**refused.headers, "Content-Length": str(len(refused.body)), **(more or {})}
    await send(
        {"type": f"{kind}.response.start", "status": refused.status, "headers": _raw(headers)}
    )
    await send({"type": f"{kind}.response.body", "body": refused.body})


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
