"""How one declaration reads in the words of OpenAPI: parameters, bodies, answers and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from anyond.http.openapi.operation import Operation, Parameter, Problem, Stream
from anyond.http.openapi.problems import INVALID
from anyond.http.openapi.refusal_examples import RANGE, bare, envelope, refusal
from anyond.http.openapi.schemas import PLACE, Schemas

_JSON = "application/json"

Problems = Mapping[Problem, type]
"""The type of `error_data` of each refusal."""


class Description:
    """One operation in the words of OpenAPI."""

    def __init__(self, operation: Operation, schemas: Schemas, problems: Problems) -> None:
        self._operation = operation
        self._schemas = schemas
        self._problems = problems

    def all(self) -> dict[str, Any]:
        """The operation object."""
        operation = self._operation
        found: dict[str, Any] = {"operationId": operation.id, "summary": operation.summary}
        if operation.text:
            found["description"] = operation.text
        if parameters := list(self._parameters()):
            found["parameters"] = parameters
        if operation.body is not None or operation.upload is not None:
            found["requestBody"] = self._body()
        found["responses"] = dict(self._responses())
        if operation.stream is not None:
            found["x-events" if operation.stream.events else "x-websocket"] = self._stream(
                operation.stream
            )
        return found

    def _parameters(self) -> Iterator[dict[str, Any]]:
        operation = self._operation
        if operation.key is not None:
            yield self._parameter(operation.key)
        for parameter in operation.query:
            yield self._parameter(parameter)
        if operation.cached or operation.download is not None:
            held = Parameter("If-None-Match", str, "An ETag that the client holds.", place="header")
            yield {
                "name": held.name,
                "in": "header",
                "description": held.text,
                "schema": {"type": "string"},
            }

    def _parameter(self, parameter: Parameter) -> dict[str, Any]:
        schema = self._schemas.read(parameter.type)
        if parameter.type is str and parameter.name.endswith("id"):
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

    def _body(self) -> dict[str, Any]:
        operation = self._operation
        if operation.upload is not None:
            part = {"type": "string", "contentMediaType": "application/octet-stream"}
            form = {
                "type": "object",
                "properties": {operation.upload: part},
                "required": [operation.upload],
            }
            return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
        schema = self._schemas.read(operation.body)
        if operation.optional:
            schema = {"anyOf": [schema, {"type": "null"}]}
        example = msgspec.to_builtins(operation.send)
        content = {"schema": schema, "example": example}
        return {"required": not operation.optional, "content": {_JSON: content}}

    # ------------------------------------------------------------ answers

    def _responses(self) -> Iterator[tuple[str, Any]]:
        operation = self._operation
        yield from self._successes()
        refusals = {
            problem.status: [p for p in self._refusals() if p.status == problem.status]
            for problem in self._refusals()
        }
        statuses = {*refusals, 401, 403, 500, 503}
        if operation.body is not None or operation.upload is not None:
            statuses |= {408, 413, 415}
        if operation.stream is not None and not operation.stream.events:
            statuses.add(426)
        if operation.download is not None:
            yield "416", bare(RANGE)
        for status in sorted(statuses):
            if status in refusals:
                yield str(status), self._refusal(status, refusals[status])
            else:
                yield str(status), {"$ref": f"#/components/responses/{status}"}

    def _refusals(self) -> list[Problem]:
        return [INVALID, *self._operation.problems]  # a query string can be malformed anywhere

    def _refusal(self, status: int, problems: list[Problem]) -> dict[str, Any]:
        schemas = {p: self._schemas.written(self._problems[p]) for p in dict.fromkeys(problems)}
        return refusal(status, schemas)

    def _successes(self) -> Iterator[tuple[str, Any]]:
        operation = self._operation
        stream, download = operation.stream, operation.download
        if stream is not None and not stream.events:
            yield "101", {"description": f"A WebSocket follows. Its end: {stream.end}"}
            return
        if stream is not None:
            events = {"schema": {"type": "string"}, "example": _EVENT}
            yield "200", {"description": stream.end, "content": {"text/event-stream": events}}
            return
        if operation.cached or download is not None:
            yield "304", {"description": "The client holds exactly this already."}
        if download is not None:
            schema = {"schema": {"type": "object"}} if _JSON in download.media_types else {}
            content: dict[str, Any] = dict.fromkeys(download.media_types, schema)
            yield "200", {"description": download.text, "headers": _ETAG, "content": content}
            yield "206", {"description": "The part that was asked for.", "content": content}
            return
        answer = self._answer()
        yield (
            str(operation.status),
            {
                "description": "Done." if operation.answer is None else "Found or done.",
                **({"headers": _ETAG} if operation.cached else {}),
                "content": {_JSON: answer},
            },
        )

    def _answer(self) -> dict[str, Any]:
        operation = self._operation
        schema = self._schemas.written(operation.answer)
        example = msgspec.to_builtins(operation.example)
        if operation.bare:
            return {"schema": schema, "example": example}
        more = {name: self._schemas.written(type_) for name, type_ in operation.beside}
        beside = {name: example[name] for name in more}
        return {
            "schema": envelope({"const": True}, schema, {"type": "null"}, {"type": "null"}, more),
            "example": {
                "success": True,
                "data": example,
                "error_data": None,
                "message": None,
                **beside,
            },
        }

    def _stream(self, stream: Stream) -> dict[str, Any]:
        if stream.events:
            return {name: self._schemas.written(type_) for name, type_ in stream.events.items()}
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
            "examples": msgspec.to_builtins(list(stream.examples)),
        }


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
