"""Refusals in the description: the envelope, and an example of each sort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from anyond.api.declaration.refusal_groups import COMMON, NOT_ALLOWED
from anyond.api.examples.refusals import REFUSALS
from anyond.http.openapi.refusals import Refusal, problem_name, text
from anyond.http.openapi.schemas import PLACE, Schema
from anyond.model.errors import AnyondError

RANGE = "The file has no such part."
"""Why a part of a file is refused."""

_EXAMPLES = "#/components/examples/"
_JSON = "application/json"


def refusal(status: int, schemas: Mapping[Refusal, Schema]) -> dict[str, Any]:
    """The response with a status that has an `error_data`, of these sorts."""
    lines = [f"- `{one.type}`: {text(one)}" for one in schemas]
    refs = list(schemas.values())
    examples = {one.type: {"$ref": f"{_EXAMPLES}{one.type}"} for one in schemas}
    if status == HTTPStatus.FORBIDDEN:
        for one in NOT_ALLOWED:
            refs.append({"$ref": f"{PLACE}{problem_name(one)}"})
            lines.append(f"- `{one.type}`: {text(one)}")
            examples[one.type] = {"$ref": f"{_EXAMPLES}{one.type}"}
    elif status in COMMON:
        refs.append({"type": "null"})
        lines.append(f"- without `error_data`: {COMMON[status]}")
        examples[f"status_{status}"] = {"$ref": f"{_EXAMPLES}status_{status}"}
    error_data = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return _response("\n".join(lines), error_data, {"examples": examples})


def bare(words: str) -> dict[str, Any]:
    """The response that needs no `error_data`, since there is only one reason for it."""
    return _response(words, {"type": "null"}, {"example": _value(words, None)})


def responses() -> dict[str, Any]:
    """Those that every endpoint has, by status; the components that others lead to."""
    return {
        str(status): refusal(status, {}) if status == HTTPStatus.FORBIDDEN else bare(text)
        for status, text in COMMON.items()
    }


def examples(refusals: Iterable[Refusal]) -> dict[str, Any]:
    """One of each sort, by its type; the components that responses lead to."""
    made = {example.type: example for example in REFUSALS}
    found: dict[str, Any] = {
        str(refusal.type): {"summary": _plain(text(refusal)), "value": _of(made[refusal.type])}
        for refusal in refusals
    }
    for status, words in COMMON.items():
        if status != HTTPStatus.FORBIDDEN:
            found[f"status_{status}"] = {"summary": words, "value": _value(words, None)}
    return found


def envelope(
    success: Schema,
    data: Schema,
    error_data: Schema,
    message: Schema,
    more: dict[str, Schema] | None = None,
) -> Schema:
    """Return the envelope of every answer, with its further fields."""
    properties = {
        "success": success,
        "data": data,
        "error_data": error_data,
        "message": message,
        **(more or {}),
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _of(refusal: AnyondError) -> dict[str, Any]:
    return _value(str(refusal), refusal.data)


def _value(message: str, error_data: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "success": False,
        "data": None,
        "error_data": error_data,
        "message": _plain(message),
    }


def _plain(text: str) -> str:
    return text.replace("`", "")


def _response(text: str, error_data: Schema, examples_part: dict[str, Any]) -> dict[str, Any]:
    schema = envelope({"const": False}, {"type": "null"}, error_data, {"type": "string"})
    return {"description": text, "content": {_JSON: {"schema": schema, **examples_part}}}
