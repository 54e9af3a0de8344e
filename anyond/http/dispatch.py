"""Dispatching a request to the function that answers it: decoded and encoded by its declaration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from msgspec import Struct
from quart import Response, request, websocket

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
from anyond.http import decode
from anyond.http.envelope import JSON, Known, answer, cached, encode, to_response
from anyond.http.params import read_params
from anyond.http.streaming import streams
from anyond.http.streaming.encoders import Encoder, WireFormat

if TYPE_CHECKING:
    from quart_trio import QuartTrio

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
    """The frames of a WebSocket, and their writer."""

    source: AsyncIterator[Sequence[T]]
    encoder: Encoder[T]


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


def install(app: QuartTrio, routes: Iterable[Route], backend: Backend) -> None:
    """Let `app` answer `routes`."""
    for endpoint, handler in routes:
        path = endpoint.path.replace("{", "<").replace("}", ">")
        if isinstance(endpoint, Stream):
            app.add_websocket(path, endpoint.id, _streaming(endpoint, handler, backend))
        else:
            view = _answering(endpoint, handler, backend)
            app.add_url_rule(path, endpoint.id, view, methods=[endpoint.method])


def _answering(
    endpoint: Endpoint[Any], handler: Callable[..., Awaitable[Any]], backend: Backend
) -> Callable[..., Awaitable[Response]]:
    async def view(**_: str) -> Response:
        params = read_params(endpoint, request)
        match endpoint:
            case BodyCall():
                body = await _body(endpoint)
                return _encoded(endpoint, await handler(backend, params, body))
            case Answering():
                return _encoded(endpoint, await handler(backend, params))
            case EventStream():
                source = await handler(backend, params, backend.wire_format(params.format))
                return _events(source)
            case _:
                made: Response = await handler(backend, params)
                return made

    return view


def _streaming(
    endpoint: Stream[Any],
    handler: Callable[..., Awaitable[Streamed[Any]]],
    backend: Backend,
) -> Callable[..., Awaitable[None]]:
    async def view(**_: str) -> None:
        params = read_params(endpoint, websocket)
        source, encoder = await handler(backend, params, backend.wire_format(params.format))
        await streams.send(source, encoder, backend.services.closing)

    return view


async def _body(endpoint: BodyCall[Any, B, Any]) -> B:
    """The body of the current request as it is declared."""
    type_ = endpoint.body
    if type_ is bytes:
        return await decode.raw(text=True)  # type: ignore[return-value]  # it is B then
    if endpoint.optional:
        found = await decode.optional_body(type_)
        if found is None:
            return type_()
    else:
        found = await decode.body(type_)
    return checked(found, type_)


def _encoded(endpoint: Answering[Any, Any], value: Any) -> Response:
    if isinstance(value, Known):
        return to_response(value)
    if isinstance(value, Likeness):
        value = value.value
    if endpoint.bare:
        return Response(encode(value), endpoint.status, content_type=JSON)
    if endpoint.cached:
        return cached(value)
    if endpoint.envelope_fields:
        more = {name: getattr(value, name) for name in endpoint.envelope_fields}
        whole = {"success": True, "data": value, "error_data": None, "message": None, **more}
        return Response(encode(whole), endpoint.status, content_type=JSON)
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
