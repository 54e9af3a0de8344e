"""Decoding a JSON object of any provenance into a frozen struct, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from anyond.settings.declared import settings_of


class Flaw(NamedTuple):
    """A value that does not fit: `path` is dotted, `problem` continues "<path>: …"."""

    path: str
    problem: str


def fit(kind: type[msgspec.Struct], raw: Mapping[str, Any], at: str = "") -> tuple[Any, list[Flaw]]:
    """Make a `kind` of whatever in `raw` fits; every other value is the default of its field.

    Null in a setting that cannot be null counts as absent. Unknown keys are not looked at.

    Returns:
        the struct, or None if a required value is missing or does not fit; and all flaws.
    """
    values: dict[str, Any] = {}
    flaws: list[Flaw] = []
    complete = True
    for setting in settings_of(kind):
        path = f"{at}{setting.name}"
        value = raw.get(setting.name)
        if value is None and (setting.name not in raw or not setting.nullable):
            if setting.required:
                flaws.append(Flaw(path, "is missing"))
        elif setting.object is not None:
            if isinstance(value, Mapping):
                value, inner = fit(setting.object, value, f"{path}.")
                flaws.extend(inner)
            else:
                value = None
                flaws.append(Flaw(path, "must be an object"))
            if value is not None:
                values[setting.name] = value
        else:
            try:
                decoded = msgspec.convert(value, type=setting.kind)
                problem = setting.problem(decoded)
            except msgspec.ValidationError:
                problem = setting.expected()
            if problem is None:
                values[setting.name] = decoded
            else:
                flaws.append(Flaw(path, problem))
        complete = complete and not (setting.required and setting.name not in values)
    return (kind(**values) if complete else None), flaws


def merge(
    kind: type[msgspec.Struct] | None, base: Mapping[str, Any], change: Mapping[str, Any]
) -> dict[str, Any]:
    """`base` with the keys of `change`, objects key by key.

    Null clears a value of `kind` that can be null, and keeps one that cannot. Keys that `kind`
    does not know are taken as they come.

    Raises:
        RecursionError: the objects are nested absurdly deep.
    """
    known = {setting.name: setting for setting in settings_of(kind)} if kind else {}
    merged = dict(base)
    for key, value in change.items():
        declared = known.get(key)
        if value is None and declared is not None and not declared.nullable:
            continue
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = merge(declared.object if declared else None, old, value)
        else:
            merged[key] = value
    return merged


def with_unknown(known: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`known`, and at every depth those keys of `stored` that it lacks."""
    whole = dict(known)
    for key, value in stored.items():
        if key not in known:
            whole[key] = value
        elif isinstance(known[key], Mapping) and isinstance(value, Mapping):
            whole[key] = with_unknown(known[key], value)
    return whole
