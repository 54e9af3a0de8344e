"""Whether what a daemon says is what its own description announces, and not a bit more."""

from __future__ import annotations

from typing import Any

import jsonschema_rs


class Judge:
    """Compares values with the schemas of a document, strictly: fields it does not know are wrong.

    Clients must take such fields, but in these tests daemon and description are of one version.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = _closed(document["components"])
        self._known: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def flaws(self, schema: dict[str, Any], value: Any) -> list[str]:
        """What is wrong with `value`, with the places where it is."""
        key = str(schema)
        if key not in self._known:
            whole = {**_closed(schema), "components": self._components}
            self._known[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [
            f"{'/'.join(map(str, error.instance_path))}: {error.message[:500]}"
            for error in self._known[key].iter_errors(value)
        ]


def _closed(schema: Any) -> Any:
    """`schema`, but objects have the fields that it names and no others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: value if key in {"example", "examples", "default"} else _closed(value)
        for key, value in schema.items()
    }
    if made.get("type") == "object" and isinstance(made.get("properties"), dict):
        made["additionalProperties"] = False
    return made
