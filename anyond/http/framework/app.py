"""Quart's application over the routes that need it; whatever it refuses is said in our words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from quart import Response, request, wrappers
from quart.routing import QuartRule
from quart_trio import QuartTrio
from quart_trio.wrappers import TrioRequest
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, RequestTimeout
from werkzeug.routing import Rule

from anyond.http.answer.refusal import LATE, Misdirected, cancelled, refusal, too_long
from anyond.http.framework.requests import QuartRequest, as_response
from anyond.http.request.body import largest
from anyond.http.request.json_request import BODY_SECONDS
from anyond.http.routing import Route
from anyond.http.views import View

# From version 0.23 on Quart raises this; before, what is sent to nobody gets lost without a word.
_DEPARTED: type[Exception] | None = getattr(wrappers, "ClientDisconnectedError", None)


def create_app(routes: Iterable[Route], refused: str) -> FrameworkApp:
    """Quart's application over `routes`.

    Args:
        refused: under this name a scope may have a list for the error with which a request ended.
    """
    app = FrameworkApp(refused)
    for number, route in enumerate(routes):
        path = route.path.replace("{", "<").replace("...}", "}").replace("}", ">")
        if route.path.endswith("...}"):
            before, _, name = path.rpartition("<")
            path = f"{before}<path:{name}"
        app.add_url_rule(path, str(number), _through(route.view), methods=[route.method])
    return app


def _through(view: View) -> Callable[..., Awaitable[Response]]:
    async def through(**_: str) -> Response:
        return await as_response(await view(QuartRequest()))

    return through


class _Path(QuartRule):
    """A path that is matched, and compiles how it would be built only if somebody builds it.

    No URL is ever built here, and compiling that took longer than all the rest of a rule.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


class _Request(TrioRequest):
    """A request whose body may be larger where files are uploaded."""

    def __init__(self, method: str, scheme: str, path: str, *rest: Any, **more: Any) -> None:
        more["max_content_length"] = largest(path)
        super().__init__(method, scheme, path, *rest, **more)


class FrameworkApp(QuartTrio):
    """Quart, whose errors become ours."""

    request_class = _Request
    url_rule_class = _Path  # type: ignore[assignment]  # as Quart has it itself

    def __init__(self, refused: str) -> None:
        super().__init__("anyond", static_folder=None)
        self._refused = refused
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        # The connection itself watches for readers that stall (see connection.py); a slow but
        # steady one may take as long as it needs, so no answer has a time limit.
        self.config["RESPONSE_TIMEOUT"] = None
        self.config["BODY_TIMEOUT"] = BODY_SECONDS
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request, as ASGI has it."""
        try:
            await super().__call__(scope, _bounded(receive, largest(scope["path"])), send)
        except Exception as error:  # all but one kind is raised again
            if not _departed(error):
                raise

    # Before the error, Quart hands over its context from version 0.23 on.

    async def handle_user_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    async def handle_exception(self, *context_and_error: Any) -> Any:
        return self._refuse(context_and_error[-1])

    def _refuse(self, error: BaseException) -> Response:
        if cancelled(error) or _departed(error):
            raise error
        scope: dict[str, Any] = request.scope  # type: ignore[assignment]  # with a key of ours
        scope.get(self._refused, []).append(error)
        status, body, headers = refusal(
            _in_our_words(error, request.path), request.method, request.path
        )
        return Response(body, status, headers)


def _departed(error: BaseException) -> bool:
    """Return whether `error` says only that the client has left, which is nobody's mistake."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_departed, error.exceptions))
    return _DEPARTED is not None and isinstance(error, _DEPARTED)


def _in_our_words(error: BaseException, path: str) -> BaseException:
    if isinstance(error, BaseExceptionGroup):
        return error.derive([_in_our_words(one, path) for one in error.exceptions])
    match error:
        case RequestEntityTooLarge():
            return Misdirected(413, too_long(path))
        case RequestTimeout():
            return Misdirected(408, LATE)
        case HTTPException(code=int(code), description=words) if code < 500:
            return Misdirected(code, words or "The request is malformed.")
        case _:
            return error


def _bounded(receive: Callable[[], Awaitable[Any]], most: int) -> Callable[[], Awaitable[Any]]:
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
