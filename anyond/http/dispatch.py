"""Dispatching a request to the function that answers it: decoded and encoded by its declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from msgspec import Struct

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
from anyond.http import routing
from anyond.http.answer.envelope import Known, answer, cached, encode, from_known
from anyond.http.permissions import confine
from anyond.http.request import decode
from anyond.http.request.json_request import JsonAnswer, JsonRequest
from anyond.http.request.params import read_params
from anyond.http.streaming.encoders import WireFormat
from anyond.http.streaming.sse import Events
from anyond.http.views import FileAnswer, Form, FormRequest, Streamed, View

if TYPE_CHECKING:
    from anyond.http.backend import Backend

P = TypeVar("P", bound=Struct)
B = TypeVar("B")
A = TypeVar("A")


class Likeness(Generic[A]):
    """An answer that is encoded like an `A`, and is none: it may hold more than `A` declares."""

    def __init__(self, _: type[A], value: object) -> None:
        self.value = value


class Page(NamedTuple, Generic[A]):
    """A part of a list, and the path and query of the next part if there is one."""

    part: A
    next: str | None


class Route(NamedTuple):
    """An endpoint and the function that answers it."""

    endpoint: Endpoint[Any]
    handler: Callable[..., Awaitable[Any]]


@overload
def route(
    endpoint: Call[P, A],
    handler: Callable[[Backend, P], Awaitable[A | Likeness[A] | Known | Page[A]]],
) -> Route: ...


@overload
def route(
    endpoint: UploadCall[P, A], handler: Callable[[Backend, P, Form], Awaitable[A]]
) -> Route: ...


@overload
def route(
    endpoint: BodyCall[P, B, A],
    handler: Callable[[Backend, P, B], Awaitable[A | Likeness[A] | Known]],
) -> Route: ...


@overload
def route(
    endpoint: Download[P], handler: Callable[[Backend, P], Awaitable[FileAnswer]]
) -> Route: ...


@overload
def route(
    endpoint: Stream[P], handler: Callable[[Backend, P, WireFormat], Awaitable[Streamed[Any]]]
) -> Route: ...


@overload
def route(
    endpoint: EventStream[P],
    handler: Callable[[Backend, P, WireFormat], Awaitable[Events]],
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


def views(routes: Iterable[Route], backend: Backend) -> Iterable[routing.Route]:
    """The views that answer `routes`, by method and path."""
    for endpoint, handler in routes:
        framework = isinstance(endpoint, UploadCall | Download)
        view = _view(endpoint, handler, backend)
        yield routing.Route(
            endpoint.method,
            endpoint.path,
            view,
            endpoint.scope,
            endpoint.summary,
            framework,
            confines=True,
        )


def _view(
    endpoint: Endpoint[Any], handler: Callable[..., Awaitable[Any]], backend: Backend
) -> View:
    match endpoint:
        case Stream():
            return _streaming(endpoint, handler, backend)
        case EventStream():
            return _telling(endpoint, handler, backend)
        case UploadCall():
            return _uploading(endpoint, handler, backend)
        case Answering():
            return _answering(endpoint, handler, backend)
        case _:
            return _sending(endpoint, handler, backend)


def _answering(
    endpoint: Answering[Any, Any], handler: Callable[..., Awaitable[Any]], backend: Backend
) -> View:
    async def view(request: JsonRequest) -> JsonAnswer:
        params = read_params(endpoint, request)
        if isinstance(endpoint, BodyCall):
            body = await _body(endpoint, request)
            body = await confine(backend.store, endpoint, params, body)
            value = await handler(backend, params, body)
        else:
            await confine(backend.store, endpoint, params)
            value = await handler(backend, params)
        return _encoded(endpoint, value, request)

    return view


def _uploading(
    endpoint: UploadCall[Any, Any], handler: Callable[..., Awaitable[Any]], backend: Backend
) -> Callable[[FormRequest], Awaitable[JsonAnswer]]:
    async def view(request: FormRequest) -> JsonAnswer:
        params = read_params(endpoint, request)
        await confine(backend.store, endpoint, params)
        return _encoded(endpoint, await handler(backend, params, request.form), request)

    return view


def _sending(
    endpoint: Endpoint[Any], handler: Callable[..., Awaitable[FileAnswer]], backend: Backend
) -> View:
    async def view(request: JsonRequest) -> FileAnswer:
        params = read_params(endpoint, request)
        await confine(backend.store, endpoint, params)
        return await handler(backend, params)

    return view


def _telling(
    endpoint: EventStream[Any],
    handler: Callable[..., Awaitable[Events]],
    backend: Backend,
) -> View:
    async def view(request: JsonRequest) -> Events:
        params = read_params(endpoint, request)
        await confine(backend.store, endpoint, params)
        return await handler(backend, params, backend.wire_format(params.format))

    return view


def _streaming(
    endpoint: Stream[Any], handler: Callable[..., Awaitable[Streamed[Any]]], backend: Backend
) -> View:
    async def view(request: JsonRequest) -> Streamed[Any]:
        params = read_params(endpoint, request)
        await confine(backend.store, endpoint, params)
        return await handler(backend, params, backend.wire_format(params.format))

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
    if isinstance(value, Page):
        made = cached(value.part, request)
        if value.next is None:
            return made
        return made._replace(headers={**made.headers, "Link": f'<{value.next}>; rel="next"'})
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
