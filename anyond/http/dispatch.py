"""Dispatching a request to the function that answers it: decoded and encoded by its declaration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from msgspec import Struct
from quart import Response, request

from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration.checks import checked
from anyond.api.declaration.endpoint import (
    Answering,
    BodyCall,
    Call,
    Download,
    Endpoint,
    EventStream,
    Stream,
    UploadCall,
)
from anyond.http.answer.envelope import Known, answer, cached, encode, from_known
from anyond.http.request import decode
from anyond.http.request.framework import QuartRequest, QuartWebsocket, as_response
from anyond.http.request.json_request import JsonAnswer, JsonRequest
from anyond.http.request.params import read_params
from anyond.http.streaming import streams
from anyond.http.streaming.encoders import Encoder, WireFormat

if TYPE_CHECKING:
    from anyond.http.application import App
    from anyond.http.backend import Backend

P = TypeVar("P", bound=Struct)
B = TypeVar("B")
A = TypeVar("A")
T = TypeVar("T")


class Likeness(Generic[A]):
    """An answer that is encoded like an `A`, and is none: it may hold more than `A` declares."""

    def __init__(self, _: type[A], value: object) -> None:
        self.value = value


class Streamed(NamedTuple, Generic[T]):
    """The frames of a WebSocket, and their writer.

    Args:
        gather_s: see `streams.send`.
    """

    source: AsyncIterator[Sequence[T]]
    encoder: Encoder[T]
    gather_s: float = streams.GATHER_S


class Route(NamedTuple):
    """An endpoint and the function that answers it."""

    endpoint: Endpoint[Any]
    handler: Callable[..., Awaitable[Any]]


@overload
def route(
    endpoint: Call[P, A] | UploadCall[P, A],
    handler: Callable[[Backend, P], Awaitable[A | Likeness[A] | Known]],
) -> Route: ...


@overload
def route(
    endpoint: BodyCall[P, B, A],
    handler: Callable[[Backend, P, B], Awaitable[A | Likeness[A] | Known]],
) -> Route: ...


@overload
def route(endpoint: Download[P], handler: Callable[[Backend, P], Awaitable[Response]]) -> Route: ...


@overload
def route(
    endpoint: Stream[P], handler: Callable[[Backend, P, WireFormat], Awaitable[Streamed[Any]]]
) -> Route: ...


@overload
def route(
    endpoint: EventStream[P],
    handler: Callable[[Backend, P, WireFormat], Awaitable[AsyncIterator[bytes]]],
) -> Route: ...


def route(endpoint: Endpoint[Any], handler: Callable[..., Awaitable[Any]]) -> Route:
    """`endpoint`, answered by `handler`, which gets and returns what is declared.

    A handler raises refusals; it is cancelled when its client leaves.
    """
    return Route(endpoint, handler)


def complete(*chapters: Iterable[Route]) -> tuple[Route, ...]:
    """All routes, in the order in which they are declared.

    Raises:
        TypeError: an endpoint has no handler, or several.
    """
    routes = [route for chapter in chapters for route in chapter]
    handled = [route.endpoint for route in routes]
    for endpoint in (*ENDPOINTS, *handled):
        if handled.count(endpoint) != 1 or endpoint not in ENDPOINTS:
            raise TypeError(f"{endpoint.method} {endpoint.path} needs one handler")
    return tuple(sorted(routes, key=lambda route: ENDPOINTS.index(route.endpoint)))


def install(app: App, routes: Iterable[Route], backend: Backend) -> None:
    """Let `app` answer `routes`; those that answer JSON it answers itself, where it can."""
    for endpoint, handler in routes:
        path = endpoint.path.replace("{", "<").replace("}", ">")
        if isinstance(endpoint, Stream):
            app.add_websocket(path, endpoint.operation_id, _streaming(endpoint, handler, backend))
            continue
        if isinstance(endpoint, Answering):
            json = _json(endpoint, handler, backend)
            view = _through_quart(json)
            if not isinstance(endpoint, UploadCall):
                app.direct.add(endpoint.method, endpoint.path, json)
        else:
            view = _answering(endpoint, handler, backend)
        app.add_url_rule(path, endpoint.operation_id, view, methods=[endpoint.method])


def _json(
    endpoint: Answering[Any, Any], handler: Callable[..., Awaitable[Any]], backend: Backend
) -> Callable[[JsonRequest], Awaitable[JsonAnswer]]:
    async def view(request: JsonRequest) -> JsonAnswer:
        params = read_params(endpoint, request)
        if isinstance(endpoint, BodyCall):
            body = await _body(endpoint, request)
            value = await handler(backend, params, body)
        else:
            value = await handler(backend, params)
        return _encoded(endpoint, value, request)

    return view


def _through_quart(
    json: Callable[[JsonRequest], Awaitable[JsonAnswer]],
) -> Callable[..., Awaitable[Response]]:
    async def view(**_: str) -> Response:
        return as_response(await json(QuartRequest()))

    return view


def _answering(
    endpoint: Endpoint[Any], handler: Callable[..., Awaitable[Any]], backend: Backend
) -> Callable[..., Awaitable[Response]]:
    async def view(**_: str) -> Response:
        params = read_params(endpoint, QuartRequest())
        if isinstance(endpoint, EventStream):
            source = await handler(backend, params, backend.wire_format(params.format))
            return _events(source)
        made: Response = await handler(backend, params)
        return made

    return view


def _streaming(
    endpoint: Stream[Any],
    handler: Callable[..., Awaitable[Streamed[Any]]],
    backend: Backend,
) -> Callable[..., Awaitable[None]]:
    async def view(**_: str) -> None:
        params = read_params(endpoint, QuartWebsocket())
        made = await handler(backend, params, backend.wire_format(params.format))
        await streams.send(made.source, made.encoder, backend.services.closing, made.gather_s)

    return view


async def _body(endpoint: BodyCall[Any, B, Any], request: JsonRequest) -> B:
    """The body of `request` as it is declared."""
    type_ = endpoint.body
    if type_ is bytes:
        return await decode.raw(request, text=True)  # type: ignore[return-value]  # it is B then
    if endpoint.optional:
        found = await decode.optional_body(request, type_)
        if found is None:
            return type_()
    else:
        found = await decode.body(request, type_)
    return checked(found, type_)


def _encoded(endpoint: Answering[Any, Any], value: Any, request: JsonRequest) -> JsonAnswer:
    if isinstance(value, Known):
        return from_known(value, request)
    if isinstance(value, Likeness):
        value = value.value
    if endpoint.bare:
        return JsonAnswer(endpoint.status, encode(value))
    if endpoint.cached:
        return cached(value, request)
    if endpoint.envelope_fields:
        more = {name: getattr(value, name) for name in endpoint.envelope_fields}
        whole = {"success": True, "data": value, "error_data": None, "message": None, **more}
        return JsonAnswer(endpoint.status, encode(whole))
    return answer(value, endpoint.status)


def _events(source: AsyncIterator[bytes]) -> Response:
    # The answer to HEAD would never end, and never show a byte.
    response = Response(
        b"" if request.method == "HEAD" else source,
        content_type="text/event-stream; charset=utf-8",
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.timeout = None
    return response
