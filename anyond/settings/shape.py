"""How a JSON object of any provenance becomes a frozen struct, value by value."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec

Rules = Mapping[str, Callable[[Any], str | None]]
"""What must hold beyond the type: dotted path of a value -> what is wrong with it, or None."""


class Flaw(NamedTuple):
    """A value that does not fit: `path` is dotted, `problem` continues "<path>: …"."""

    path: str
    problem: str


def fit(kind: type, raw: Mapping[str, Any], rules: Rules, at: str = "") -> tuple[Any, list[Flaw]]:
    """Make a `kind` of whatever in `raw` fits; every other value is the default of its field.

    Null in a field that cannot be null counts as absent. Unknown keys are not looked at.

    Returns:
        the struct, or None if a required value is missing or does not fit; and all flaws.
    """
    values: dict[str, Any] = {}
    flaws: list[Flaw] = []
    complete = True
    for field in msgspec.structs.fields(kind):
        path = f"{at}{field.name}"
        value = raw.get(field.encode_name)
        if value is None and (field.encode_name not in raw or not nullable(field.type)):
            if field.required:
                flaws.append(Flaw(path, "is missing"))
        elif _is_struct(field.type):
            if isinstance(value, Mapping):
                value, inner = fit(field.type, value, rules, f"{path}.")
                flaws.extend(inner)
            else:
                value = None
                flaws.append(Flaw(path, "must be an object"))
            if value is not None:
                values[field.name] = value
        else:
            try:
                decoded = msgspec.convert(value, type=field.type)
                problem = rules[path](decoded) if path in rules and decoded is not None else None
            except msgspec.ValidationError:
                problem = expected(field.type)
            if problem is None:
                values[field.name] = decoded
            else:
                flaws.append(Flaw(path, problem))
        complete = complete and not (field.required and field.name not in values)
    return (kind(**values) if complete else None), flaws


def merge(kind: Any, base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `change`, objects key by key.

    Null clears a value of `kind` that can be null, and keeps one that cannot. Keys that `kind`
    does not know are taken as they come.

    Raises:
        RecursionError: the objects are nested absurdly deep.
    """
    known = {f.encode_name: f.type for f in msgspec.structs.fields(kind)} if kind else {}
    merged = dict(base)
    for key, value in change.items():
        declared = known.get(key)
        if value is None and key in known and not nullable(declared):
            continue
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = merge(declared if _is_struct(declared) else None, old, value)
        else:
            merged[key] = value
    return merged


def beside(known: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`known`, and at every depth those keys of `stored` that it lacks."""
    whole = dict(known)
    for key, value in stored.items():
        if key not in known:
            whole[key] = value
        elif isinstance(known[key], Mapping) and isinstance(value, Mapping):
            whole[key] = beside(known[key], value)
    return whole


def nullable(kind: Any) -> bool:
    """Whether null is a value of the type `kind`."""
    return get_origin(kind) in {Union, types.UnionType} and type(None) in get_args(kind)


def expected(kind: Any) -> str:
    """What a value of `kind` must be, as the end of a sentence."""
    if nullable(kind):
        inner = next(a for a in get_args(kind) if a is not type(None))
        return f"{expected(inner)}, or null"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"must be one of {', '.join(str(member.value) for member in kind)}"
    if get_origin(kind) is list:
        return "must be a list of texts"
    words = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
    return f"must be {words.get(kind, 'of another type')}"


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
