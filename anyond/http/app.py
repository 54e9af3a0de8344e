"""How the chapters of the API become one application, with the guard in front of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from quart import Response, has_websocket_context, request, websocket
from quart_trio import QuartTrio

from anyond.http.envelope import success
from anyond.http.guard import Asked, Policy
from anyond.http.multipart import UploadRequest
from anyond.http.refusal import Refusal, cancelled, refusal
from anyond.http.routes import (
    approvals,
    attempts,
    buttons,
    containers,
    description,
    drafts,
    events,
    filesystem,
    github,
    health,
    images,
    mcp,
    processes,
    projects,
    search,
    sounds,
    system,
    tags,
    tasks,
)
from anyond.model.errors import AnyondError

if TYPE_CHECKING:
    from anyond.actors.services import Services

LARGEST_BODY = 4 * 1024**2
BODY_SECONDS = 30

Send = Callable[[Any], Awaitable[None]]


class Front(QuartTrio):
    """The application. Whatever goes wrong in it is answered by `refusal`, in the envelope."""

    request_class = UploadRequest

    def __init__(self, policy: Policy) -> None:
        super().__init__("anyond", static_folder=None)
        self._policy = policy
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        # The connection itself watches for readers that stall (see connection.py); a slow but
        # steady one may take as long as it needs, so no answer has a time limit.
        self.config["RESPONSE_TIMEOUT"] = None
        self.config["BODY_TIMEOUT"] = BODY_SECONDS
        self.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request or WebSocket, as ASGI has it; the guard is asked before anything else."""
        if scope["type"] not in {"http", "websocket"}:
            return await super().__call__(scope, receive, send)
        asked = _asked(scope)
        origin = self._policy.foreign_origin(asked)
        cors = _cors(origin) if origin else {}
        try:
            cookie = self._policy.check(asked)
        except AnyondError as error:
            return await _answer(scope, send, refusal(error, asked.method, asked.path), cors)
        if cookie is not None:
            seen = {"Location": "/api/info", "Set-Cookie": cookie, "Cache-Control": "no-store"}
            return await _answer(scope, send, Refusal(303, b"", seen))
        if origin and asked.method == "OPTIONS":
            json = {"Content-Type": "application/json"}
            return await _answer(scope, send, Refusal(200, success(b"null"), json), cors)
        return await super().__call__(scope, receive, _with(cors, send) if cors else send)

    # Before the error, Quart hands over its context from version 0.23 on.

    async def handle_user_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    async def handle_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    async def handle_websocket_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    def _refuse(self, error: BaseException) -> Response:
        if cancelled(error):
            raise error
        asked = websocket if has_websocket_context() else request
        method = "WEBSOCKET" if has_websocket_context() else request.method
        status, body, headers = refusal(error, method, asked.path)
        return Response(body, status, headers)


def create_app(services: Services, policy: Policy) -> Front:
    """The whole API over `services`, for whom `policy` lets in; an ASGI application."""
    app = Front(policy)
    for chapter in (
        health,
        system,
        mcp,
        sounds,
        projects,
        search,
        tasks,
        attempts,
        buttons,
        processes,
        approvals,
        github,
        drafts,
        events,
        tags,
        images,
        filesystem,
        containers,
        description,
    ):
        app.register_blueprint(chapter.routes(services))
    return app


def _asked(scope: Any) -> Asked:
    return Asked(
        method=scope.get("method", "GET"),
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        },
        local=scope["client"] is None,
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
