"""The form of a variant: a JSON schema of its options, with what can be chosen as suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from anyond.agents.common.variant import Common
from anyond.model import docstrings
from anyond.model.http.offers import Choice

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def form(options: type[Common], choices: Mapping[str, Sequence[Choice]]) -> dict[str, Any]:
    """The schema of an object with these options; all of them may be left out or null.

    Args:
        choices: of options that are strings. They are suggestions (`examples`, with names in
            `x-choices`): any other value is allowed.
    """
    [_], components = msgspec.json.schema_components([options], ref_template="#/$defs/{name}")
    made = components.pop(options.__name__)
    properties: dict[str, Any] = made["properties"]
    for name, sentence in _sentences(options).items():
        if name in properties:
            properties[name]["description"] = sentence
    for name, suggested in choices.items():
        if name in properties and suggested:
            properties[name]["examples"] = [choice.id for choice in suggested]
            properties[name]["x-choices"] = [msgspec.to_builtins(choice) for choice in suggested]
    whole = {"$schema": DIALECT, "type": "object", "properties": properties}
    return {**whole, "$defs": components} if components else whole


def _sentences(options: type) -> dict[str, str]:
    found: dict[str, str] = {}
    for cls in reversed(options.__mro__):
        _, arguments = docstrings.split(vars(cls).get("__doc__") or "")
        found.update(docstrings.arguments(arguments))
    return found
