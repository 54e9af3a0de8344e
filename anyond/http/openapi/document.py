"""How the declarations of all endpoints become one OpenAPI document."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from anyond import __version__
from anyond.http.openapi.chapters import CHAPTERS
from anyond.http.openapi.description import Description
from anyond.http.openapi.names import ALSO
from anyond.http.openapi.operation import Operation, Problem
from anyond.http.openapi.problems import FORBIDDEN, INVALID
from anyond.http.openapi.refusal_examples import examples, responses
from anyond.http.openapi.schemas import Schemas

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
    operations = [operation for chapter in CHAPTERS for operation in chapter.operations]
    problems = _problems(operations)
    schemas = _schemas(operations, problems)
    paths: dict[str, Any] = {}
    for chapter in CHAPTERS:
        for operation in chapter.operations:
            described = {"tags": [chapter.name], **Description(operation, schemas, problems).all()}
            paths.setdefault(operation.path, {})[operation.verb] = described
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
            "examples": examples(problems),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Only if the daemon was started with `--auth token`.",
                }
            },
        },
    }


def _problems(operations: list[Operation]) -> dict[Problem, type]:
    used = {p: None for o in operations for p in (INVALID, FORBIDDEN, *o.problems)}
    return {problem: _data_of(problem) for problem in used}


def _data_of(problem: Problem) -> type:
    """A type of our own for `error_data`, tagged as it is."""
    words = "".join(word.capitalize() for word in problem.type.split("_"))
    fields = [
        (name, type_, UNSET) if UnsetType in getattr(type_, "__args__", ()) else (name, type_)
        for name, type_ in problem.fields
    ]
    return msgspec.defstruct(
        f"{words}Problem",
        fields,
        namespace={"__doc__": problem.text},
        tag=problem.type,
        tag_field="type",
        kw_only=True,
    )


def _schemas(operations: list[Operation], problems: dict[Problem, type]) -> Schemas:
    read: list[Any] = []
    written: list[Any] = [*problems.values(), *ALSO]
    unions: dict[str, Any] = {}
    for operation in operations:
        read += [p.type for p in (*operation.query, operation.key) if p is not None]
        read += [operation.body] if operation.body is not None else []
        written += [operation.answer, *(type_ for _, type_ in operation.beside)]
        if operation.stream is not None:
            written += [*operation.stream.frames, *operation.stream.events.values()]
    for operation in operations:
        stream = operation.stream
        if stream is not None and len(stream.frames) > 1:
            unions[stream.name] = _union(stream.frames)
    unions["ErrorData"] = _union(tuple(problems.values()))
    return Schemas(read, written, unions)


def _union(types: tuple[Any, ...]) -> Any:
    union = types[0]
    for type_ in types[1:]:
        union |= type_
    return union
