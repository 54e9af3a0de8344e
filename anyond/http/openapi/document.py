"""The OpenAPI document, made from the declarations of all endpoints."""

from __future__ import annotations

from typing import Any

from anyond import __version__
from anyond.api.chapters import CHAPTERS, ENDPOINTS
from anyond.api.declaration.endpoint import Answering, BodyCall, EventStream, Stream
from anyond.api.declaration.refusal_groups import NOT_ALLOWED
from anyond.http.openapi.description import Description, described_body
from anyond.http.openapi.names import ALSO
from anyond.http.openapi.refusal_examples import examples, responses
from anyond.http.openapi.refusals import Refusal, declared, error_data
from anyond.http.openapi.schemas import Schemas
from anyond.model.refusals.requests import Invalid

_TEXT = """\
The daemon that runs coding agents in worktrees of your repositories.

Every answer is an envelope of `success`, `data`, `error_data` and `message`, except for files,
streams, `/health` and this description. What is refused has a `message` for people, and mostly an
`error_data` whose `type` programs can match on. Fields that are not known are ignored.

Lists and records have an `ETag`; with `If-None-Match` a client that holds it already gets 304.

Streams through WebSockets are described as `GET` with `x-websocket`. Each frame has a position,
`seq`; whoever comes back with `?after=` and the last one goes on there.
"""


def document() -> dict[str, Any]:
    """The whole document, made anew; takes some ten milliseconds."""
    data = _error_data()
    schemas = _schemas(data)
    paths: dict[str, Any] = {}
    for chapter in CHAPTERS:
        for endpoint in chapter.endpoints:
            described = {"tags": [chapter.name], **Description(endpoint, schemas, data).operation()}
            paths.setdefault(endpoint.path, {})[endpoint.verb] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Anyon", "version": __version__, "description": _TEXT},
        "servers": [{"url": "/"}],
        "tags": [{"name": chapter.name, "description": chapter.text} for chapter in CHAPTERS],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": responses(),
            "examples": examples(data),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Needed only if the daemon was started with `--auth token`. Each"
                    " operation names the scope that a token must have for it.",
                }
            },
        },
    }


def _error_data() -> dict[Refusal, type]:
    """The type of the `error_data` of each refusal that an endpoint names."""
    used = [declared(r) for e in ENDPOINTS for r in (Invalid, *NOT_ALLOWED, *e.refusals)]
    return {refusal: error_data(refusal) for refusal in dict.fromkeys(used)}


def _schemas(data: dict[Refusal, type]) -> Schemas:
    read: list[Any] = []
    written: list[Any] = [*data.values(), *ALSO]
    unions: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        read += [parameter.type for parameter in endpoint.parameters()]
        match endpoint:
            case Answering():
                if isinstance(endpoint, BodyCall):
                    read.append(described_body(endpoint))
                written += [endpoint.answer, *endpoint.envelope_fields.values()]
            case Stream():
                written += endpoint.frames
                if len(endpoint.frames) > 1:
                    unions[endpoint.name] = _union(endpoint.frames)
            case EventStream():
                written += endpoint.events.values()
    unions["ErrorData"] = _union(tuple(data.values()))
    return Schemas(read, written, unions)


def _union(types: tuple[Any, ...]) -> Any:
    union = types[0]
    for type_ in types[1:]:
        union |= type_
    return union
