"""One declaration in the words of OpenAPI: parameters, bodies, answers and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any

import msgspec

from anyond.api.declaration.endpoint import (
    Answering,
    BodyCall,
    Download,
    Endpoint,
    EventStream,
    Parameter,
    Stream,
    UploadCall,
)
from anyond.api.examples.all import EXAMPLES, NONE
from anyond.http.openapi.refusal_examples import RANGE, bare, envelope, refusal
from anyond.http.openapi.refusals import Refusal, declared, status
from anyond.http.openapi.schemas import PLACE, Schemas
from anyond.model.refusals.requests import Invalid

_JSON = "application/json"

ErrorData = Mapping[Refusal, type]
"""The type of `error_data` of each refusal."""


class Description:
    """One endpoint in the words of OpenAPI."""

    def __init__(self, endpoint: Endpoint[Any], schemas: Schemas, data: ErrorData) -> None:
        self._endpoint = endpoint
        self._example = EXAMPLES.get(endpoint, NONE)
        self._schemas = schemas
        self._data = data

    def operation(self) -> dict[str, Any]:
        """The operation object."""
        endpoint = self._endpoint
        found: dict[str, Any] = {"operationId": endpoint.operation_id, "summary": endpoint.summary}
        found["security"] = [{}, {"token": [endpoint.scope]}]
        if endpoint.text:
            found["description"] = endpoint.text
        if parameters := list(self._parameters()):
            found["parameters"] = parameters
        match endpoint:
            case BodyCall():
                found["requestBody"] = self._body(endpoint)
            case UploadCall():
                found["requestBody"] = _form(endpoint)
        found["responses"] = dict(self._responses())
        match endpoint:
            case EventStream():
                found["x-events"] = {
                    name: self._schemas.written(type_) for name, type_ in endpoint.events.items()
                }
            case Stream():
                found["x-websocket"] = self._stream(endpoint)
        return found

    def _parameters(self) -> Iterator[dict[str, Any]]:
        for parameter in self._endpoint.parameters():
            yield self._parameter(parameter)
        if self._has_etag():
            yield {
                "name": "If-None-Match",
                "in": "header",
                "description": "An ETag that the client holds.",
                "schema": {"type": "string"},
            }

    def _has_etag(self) -> bool:
        endpoint = self._endpoint
        return isinstance(endpoint, Download) or (
            isinstance(endpoint, Answering) and endpoint.cached
        )

    def _parameter(self, parameter: Parameter) -> dict[str, Any]:
        schema = self._schemas.read(parameter.type)
        if parameter.kind == "id":
            schema = {**schema, "format": "uuid"}
        if parameter.type is int:
            schema = {**schema, "minimum": 0, "maximum": 2**63 - 1}
        found = {
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.required,
            "description": parameter.text,
            "schema": schema,
        }
        if parameter.example is not None:
            found["example"] = msgspec.to_builtins(parameter.example)
        return found

    def _body(self, endpoint: BodyCall[Any, Any, Any]) -> dict[str, Any]:
        schema = self._schemas.read(described_body(endpoint))
        if endpoint.optional:
            schema = {"anyOf": [schema, {"type": "null"}]}
        example = msgspec.to_builtins(self._example.send)
        content = {"schema": schema, "example": example}
        return {"required": not endpoint.optional, "content": {_JSON: content}}

    # ------------------------------------------------------------ answers

    def _responses(self) -> Iterator[tuple[str, Any]]:
        endpoint = self._endpoint
        yield from self._successes()
        refusals: dict[int, list[Refusal]] = {}
        for one in self._refusals():
            refusals.setdefault(status(one), []).append(one)
        statuses = {*refusals, 401, 403, 500, 503}
        if isinstance(endpoint, BodyCall | UploadCall):
            statuses |= {408, 413, 415}
        if isinstance(endpoint, Stream):
            statuses.add(426)
        if isinstance(endpoint, Download):
            yield "416", bare(RANGE)
        for code in sorted(statuses):
            if code in refusals:
                yield str(code), self._refusal(code, refusals[code])
            else:
                yield str(code), {"$ref": f"#/components/responses/{code}"}

    def _refusals(self) -> list[Refusal]:
        # A query string can be malformed anywhere.
        named: tuple[Refusal, ...] = (Invalid, *self._endpoint.refusals)
        return list(dict.fromkeys(declared(one) for one in named))

    def _refusal(self, code: int, refusals: list[Refusal]) -> dict[str, Any]:
        return refusal(code, {r: self._schemas.written(self._data[r]) for r in refusals})

    def _successes(self) -> Iterator[tuple[str, Any]]:
        if self._has_etag():
            yield "304", {"description": "The client holds exactly this already."}
        match self._endpoint:
            case Stream(end=end):
                yield "101", {"description": f"A WebSocket follows. Its end: {end}"}
            case EventStream(end=end):
                events = {"schema": {"type": "string"}, "example": _EVENT}
                yield "200", {"description": end, "content": {"text/event-stream": events}}
            case Download(media_types=kinds, content=text):
                schema = {"schema": {"type": "object"}} if _JSON in kinds else {}
                content: dict[str, Any] = dict.fromkeys(kinds, schema)
                yield "200", {"description": text, "headers": _ETAG, "content": content}
                yield "206", {"description": "The part that was asked for.", "content": content}
            case Answering() as endpoint:
                done = "Done." if endpoint.answer is NoneType else "Found or done."
                headers = {"headers": _ETAG} if endpoint.cached else {}
                content = {_JSON: self._answer(endpoint)}
                yield (
                    str(endpoint.status),
                    {"description": done, **headers, "content": content},
                )

    def _answer(self, endpoint: Answering[Any, Any]) -> dict[str, Any]:
        schema = self._schemas.written(endpoint.answer)
        example = msgspec.to_builtins(self._example.answer)
        if endpoint.bare:
            return {"schema": schema, "example": example}
        more = {
            name: self._schemas.written(type_) for name, type_ in endpoint.envelope_fields.items()
        }
        examples = {name: example[name] for name in more}
        return {
            "schema": envelope({"const": True}, schema, {"type": "null"}, {"type": "null"}, more),
            "example": {
                "success": True,
                "data": example,
                "error_data": None,
                "message": None,
                **examples,
            },
        }

    def _stream(self, stream: Stream[Any]) -> dict[str, Any]:
        frame = (
            {"$ref": PLACE + stream.name}
            if len(stream.frames) > 1
            else self._schemas.written(stream.frames[0])
        )
        return {
            "frame": frame,
            "batch": {"type": "array", "items": frame} if stream.batch else None,
            "last": {"$ref": f"{PLACE}Finished"} if "Finished" in stream.end else None,
            "end": stream.end,
            "examples": msgspec.to_builtins(list(self._example.frames)),
        }


def described_body(endpoint: BodyCall[Any, Any, Any]) -> Any:
    """The type of a body as clients are shown it."""
    return endpoint.described or endpoint.body


def _form(endpoint: UploadCall[Any, Any]) -> dict[str, Any]:
    part = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {
        "type": "object",
        "properties": {endpoint.form_field: part},
        "required": [endpoint.form_field],
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}


_ETAG = {
    "ETag": {
        "description": "Identifies what is answered, for If-None-Match.",
        "required": True,
        "schema": {"type": "string"},
    }
}
_EVENT = """\
event: task_updated
data: {"id": "8b6f6a0e-3c1d-4c8a-8a52-6d1f5b7c2a02", "title": "Describe the tea timer", …}
id: 43

"""
