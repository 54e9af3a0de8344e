"""How a refusal looks: its envelope, and an example of each sort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from anyond.api.endpoint import Problem
from anyond.api.examples.things import PARTS
from anyond.api.problems import COMMON, FORBIDDEN
from anyond.http.openapi.schemas import PLACE, Schema

RANGE = "The file has no such part."
"""Why a part of a file is refused."""

_EXAMPLES = "#/components/examples/"
_JSON = "application/json"


def refusal(status: int, schemas: Mapping[Problem, Schema]) -> dict[str, Any]:
    """The response with a status that has an `error_data`, of these sorts."""
    told = [f"- `{problem.type}`: {problem.text}" for problem in schemas]
    refs = list(schemas.values())
    examples = {p.type: {"$ref": _EXAMPLES + p.type} for p in schemas}
    if status == HTTPStatus.FORBIDDEN:
        refs.append({"$ref": f"{PLACE}ForbiddenProblem"})
        told.append(f"- `forbidden`: {FORBIDDEN.text}")
        examples["forbidden"] = {"$ref": f"{_EXAMPLES}forbidden"}
    elif status in COMMON:
        refs.append({"type": "null"})
        told.append(f"- without `error_data`: {COMMON[status]}")
        examples[f"status_{status}"] = {"$ref": f"{_EXAMPLES}status_{status}"}
    error_data = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return _response("\n".join(told), error_data, {"examples": examples})


def bare(text: str) -> dict[str, Any]:
    """The response that needs no `error_data`, since there is only one reason for it."""
    return _response(text, {"type": "null"}, {"example": _value(text, None)})


def responses() -> dict[str, Any]:
    """Those that every endpoint has, by status; the components that others lead to."""
    return {
        str(status): refusal(status, {}) if status == HTTPStatus.FORBIDDEN else bare(text)
        for status, text in COMMON.items()
    }


def examples(problems: Iterable[Problem]) -> dict[str, Any]:
    """One of each sort, by its type; the components that responses lead to."""
    found = {
        problem.type: {"summary": _plain(problem.text), "value": _of(problem)}
        for problem in problems
    }
    for status, text in COMMON.items():
        if status != HTTPStatus.FORBIDDEN:
            found[f"status_{status}"] = {"summary": text, "value": _value(text, None)}
    return found


def envelope(
    success: Schema,
    data: Schema,
    error_data: Schema,
    message: Schema,
    more: dict[str, Schema] | None = None,
) -> Schema:
    """What every answer is wrapped in, with what stands beside the usual."""
    properties = {
        "success": success,
        "data": data,
        "error_data": error_data,
        "message": message,
        **(more or {}),
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _of(problem: Problem) -> dict[str, Any]:
    message = problem.said or _plain(problem.text)
    parts = {
        name: message if name == "message" else _part(problem.type, name)
        for name, _ in problem.fields
    }
    return _value(message, {"type": problem.type, **parts})


def _part(type_: str, name: str) -> Any:
    return msgspec.to_builtins(PARTS.get(f"{type_}.{name}", PARTS.get(name)))


def _value(message: str, error_data: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "success": False,
        "data": None,
        "error_data": error_data,
        "message": _plain(message),
    }


def _plain(text: str) -> str:
    return text.replace("`", "")


def _response(text: str, error_data: Schema, shown: dict[str, Any]) -> dict[str, Any]:
    schema = envelope({"const": False}, {"type": "null"}, error_data, {"type": "string"})
    return {"description": text, "content": {_JSON: {"schema": schema, **shown}}}
