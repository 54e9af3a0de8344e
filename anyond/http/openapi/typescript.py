"""Types of TypeScript from the schemas of the API; run it to write or to check the file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from anyond.generated import run
from anyond.http.openapi.schemas import PLACE

_HEAD = """\
// The types of Anyon's API. Written by `make types`; do not edit.

export type JsonValue =
  | number
  | string
  | boolean
  | null
  | Array<JsonValue>
  | { [key: string]: JsonValue };

/** What every answer is wrapped in. */
export type ApiResponse<T, E = ErrorData> =
  | { success: true; data: T; error_data: null; message: null }
  | { success: false; data: null; error_data: E | null; message: string };
"""
_SIMPLE = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def module(document: dict[str, Any]) -> str:
    """All types of `document` as a module of TypeScript."""
    schemas = document["components"]["schemas"]
    return "\n".join([_HEAD, *(declaration(name, schema) for name, schema in schemas.items())])


def declaration(name: str, schema: dict[str, Any]) -> str:
    """One exported type, with what is known of it in a comment."""
    union = schema.get("anyOf")
    if union is not None:
        options = "".join(f"\n  | {expression(option)}" for option in union)
        return f"{_comment(schema, '')}export type {name} ={options};\n"
    return f"{_comment(schema, '')}export type {name} = {expression(schema)};\n"


def expression(schema: dict[str, Any], indent: str = "") -> str:
    """The type that `schema` stands for."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(PLACE)
    if "const" in schema:
        return _constant(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(expression(option, indent) for option in schema["anyOf"])
    types = schema.get("type")
    if isinstance(types, list):
        return " | ".join(expression({**schema, "type": type_}, indent) for type_ in types)
    match types:
        case None:
            return "JsonValue"
        case "array" if "prefixItems" in schema:
            return f"[{', '.join(expression(item, indent) for item in schema['prefixItems'])}]"
        case "array":
            return f"Array<{expression(schema.get('items', {}), indent)}>"
        case "object" if "properties" in schema:
            return _object(schema, indent)
        case "object":
            inner = schema.get("additionalProperties", {})
            return f"{{ [key: string]: {expression(inner, indent)} }}"
        case _:
            return _SIMPLE[types]


def _object(schema: dict[str, Any], indent: str) -> str:
    return "\n".join(["{", *_fields(schema, indent + "  "), f"{indent}}}"])


def _fields(schema: dict[str, Any], indent: str) -> Iterator[str]:
    for name, inner in schema["properties"].items():
        mark = "" if name in schema.get("required", ()) else "?"
        yield f"{_comment(inner, indent)}{indent}{name}{mark}: {expression(inner, indent)};"


def _constant(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + "; ".join(f"{k}: {_constant(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def _comment(schema: dict[str, Any], indent: str) -> str:
    text = str(schema.get("description", "")).replace("*/", "* /")
    return f"{indent}/** {text} */\n" if text else ""


def main(arguments: list[str]) -> int:
    """Write the types into the file that is named, or with `--check` say how it differs."""
    from anyond.http.openapi.document import document

    return run(arguments, lambda _: module(document()), "make types")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
