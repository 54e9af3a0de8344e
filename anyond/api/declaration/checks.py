"""Rules for texts in requests, by the kinds that `anyond.model.fields` annotates."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct, inspect

from anyond.model.refusals.requests import Invalid

LINE = 1_000
"""The longest name or title, in characters."""
PROSE = 1024 * 1024
"""The longest description, prompt or script, in characters."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

T = TypeVar("T")

Check = Callable[[Any, str], Any]
"""Given a value and the name of its field; returns what becomes of it. Raises `Invalid`."""


def identity(text: str, field: str) -> str:
    """`text` as an id: a UUID with hyphens, in any case of letters. Raises `Invalid`."""
    small = text.lower()
    # `fullmatch` and ASCII only: "$" would let a newline pass, and lower() knows more letters.
    if not small.isascii() or not _ID.fullmatch(small):
        raise Invalid(field, "must be a UUID such as 3f2b8c1e-5d6a-4e7f-8a9b-0c1d2e3f4a5b")
    return small


def line(text: str, field: str) -> str:
    """`text` if it can be a name or a title: something is visible, and not too much."""
    if not text.strip():
        raise Invalid(field, "must not be blank")
    if len(text) > LINE:
        raise Invalid(field, f"must not be longer than {LINE:,} characters")
    return text


def prose(text: str, field: str) -> str:
    """`text` if it is not absurdly long."""
    if len(text) > PROSE:
        raise Invalid(field, f"must not be longer than {PROSE:,} characters")
    return text


def prompt(text: str, field: str) -> str:
    """`text` if there is something in it, and not absurdly much."""
    if not text.strip():
        raise Invalid(field, "must not be blank")
    return prose(text, field)


def _or_empty(check: Callable[[str, str], str]) -> Callable[[str, str], str]:
    return lambda text, field: check(text, field) if text else text


KINDS: dict[str, Callable[[str, str], str]] = {
    "id": identity,
    "id_or_empty": _or_empty(identity),
    "line": line,
    "line_or_empty": _or_empty(line),
    "prose": prose,
    "prompt": prompt,
}


def checked(value: T, type_: Any) -> T:
    """`value`, a `type_`, if all texts in it are what they must be; ids are made lower case.

    Raises:
        Invalid: one is not; its field is named.
    """
    check = _check_of(type_)
    return value if check is None else cast(T, check(value, ""))


@cache
def _check_of(type_: Any) -> Check | None:
    """Return a check of all texts in a value of `type_`; None if there is nothing to check."""
    return _compiled(inspect.type_info(type_))


def _compiled(info: inspect.Type) -> Check | None:
    match info:
        case inspect.Metadata():
            kind = (info.extra or {}).get("kind")
            return KINDS[kind] if kind else _compiled(info.type)
        case inspect.UnionType():
            found = [check for option in info.types if (check := _compiled(option)) is not None]
            if len(found) > 1:
                raise TypeError(f"{info} has texts of several kinds")
            return _unless_empty(found[0]) if found else None
        case inspect.ListType():
            return _each(check) if (check := _compiled(info.item_type)) is not None else None
        case inspect.StructType():
            checks = {
                field.name: check
                for field in info.fields
                if (check := _compiled(field.type)) is not None
            }
            return _fields(checks) if checks else None
        case _:
            return None


def _unless_empty(check: Check) -> Check:
    """`check` for what may also be None or unset."""

    def checked(value: Any, field: str) -> Any:
        return value if value is None or value is msgspec.UNSET else check(value, field)

    return checked


def _each(check: Check) -> Check:
    def checked(values: list[Any], field: str) -> list[Any]:
        return [check(value, f"{field}[{index}]") for index, value in enumerate(values)]

    return checked


def _fields(checks: dict[str, Check]) -> Check:
    def checked(value: Struct, field: str) -> Struct:
        changed = {}
        for name, check in checks.items():
            before = getattr(value, name)
            after = check(before, f"{field}.{name}" if field else name)
            if after is not before:
                changed[name] = after
        return msgspec.structs.replace(value, **changed) if changed else value

    return checked
