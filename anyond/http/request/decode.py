"""Decoding bodies of requests, and the words by which a body is refused that cannot be decoded."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeVar

import msgspec

from anyond.http.request.json_request import JsonRequest, media_type
from anyond.model.errors import Unsupported
from anyond.model.refusals.requests import Invalid, Malformed

T = TypeVar("T")

_WRONG = re.compile(r"Expected `(?P<want>.+?)`, got `(?P<got>.+?)`(?: - at `(?P<at>.+)`)?$")
_MISSING = re.compile(r"Object missing required field `(?P<name>.+?)`(?: - at `(?P<at>.+)`)?$")
_UNKNOWN = re.compile(r"Invalid enum value (?P<value>.+?)(?: - at `(?P<at>.+)`)?$")
_BOUND = re.compile(
    r"Expected `(?P<want>int|float)` (?P<sign>[<>]=?) (?P<than>\S+)(?: - at `(?P<at>.+)`)?$"
)
_PLACE = re.compile(r"(?P<rest>.*) - at `(?P<at>.+)`$")
_MALFORMED = re.compile(r"JSON is malformed: (?P<why>.+) \(byte (?P<at>\d+)\)$")

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "greater than", "<": "less than"}


async def body(request: JsonRequest, type_: type[T], *, text: bool = False) -> T:
    """The body of `request` as a `type_`.

    Args:
        text: whether a body that calls itself plain text is taken too.

    Raises:
        Invalid: it is empty, not JSON, or not of that type; the field is named.
        Unsupported: it says that it is something else than JSON.
    """
    data = await raw(request, text=text)
    if not data.strip():
        raise Malformed("body", "is empty; a JSON object is needed")
    return decode(data, type_)


async def optional_body(request: JsonRequest, type_: type[T]) -> T | None:
    """Like `body`, but nothing at all and `null` are both None."""
    data = await _bytes(request)
    if data.strip() in (b"", b"null"):
        return None
    _check_media_type(request, text=False)
    return decode(data, type_)


async def raw(request: JsonRequest, *, text: bool = False) -> bytes:
    """The bytes of the body of `request`, of which nothing else is known than its type."""
    _check_media_type(request, text=text)
    return await _bytes(request)


def _check_media_type(request: JsonRequest, *, text: bool) -> None:
    kind = media_type(request)
    taken = {"", "application/json", "text/plain"} if text else {"", "application/json"}
    if kind not in taken and not kind.endswith("+json"):
        raise Unsupported(f"Content-Type: {kind} is not understood; send application/json.")


def decode(data: bytes, type_: type[T]) -> T:
    """`data` as a `type_`; see `body` for the errors."""
    try:
        value = msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError as error:
        raise Malformed(*_explain(str(error), type_)) from error
    except RecursionError as error:
        raise Malformed("body", "is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(data, error) from error
    if b"\\u0000" in data:
        for path, text in _texts(msgspec.to_builtins(value), ""):
            if "\0" in text:
                raise Invalid(path or "body", "must not contain NUL characters")
    return value


async def _bytes(request: JsonRequest) -> bytes:
    unpacked(request)
    return await request.read()


def unpacked(request: JsonRequest) -> None:
    """Raises `Unsupported` if the body of `request` is compressed."""
    coding = (request.headers.get("content-encoding") or "").strip().lower()
    if coding not in {"", "identity"}:
        raise Unsupported(f"Content-Encoding: {coding} is not understood; send the body as it is.")


def _unreadable(data: bytes, error: Exception) -> Malformed:
    """The reason why `data` is not JSON; for half of a surrogate pair, a field can be blamed."""
    if isinstance(error, UnicodeDecodeError):
        return Malformed("body", "is not valid UTF-8")
    try:
        data.decode()
        lenient = json.loads(data)
    except UnicodeDecodeError:
        return Malformed("body", "is not valid UTF-8")
    except (ValueError, RecursionError):
        return Malformed("body", f"is not valid JSON{_spot(data, str(error))}")
    for path, text in _texts(lenient, ""):
        if any("\ud800" <= character <= "\udfff" for character in text):
            return Malformed(path or "body", "contains half of a surrogate pair")
    return Malformed("body", f"is not valid JSON{_spot(data, str(error))}")


def _spot(data: bytes, problem: str) -> str:
    """Return where `data` stops being JSON, as an editor counts, and why; "" if nobody knows."""
    if problem == "Input data was truncated":
        return ": it ends too early"
    if found := _MALFORMED.match(problem):
        before = data[: int(found["at"])].decode(errors="replace")
        row, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return f": {found['why']} in line {row}, column {column}"
    return ""


def _explain(problem: str, type_: Any) -> tuple[str, str]:
    """msgspec's sentence as a field and a sentence for people."""
    if found := _MISSING.match(problem):
        parent = _path(found["at"])
        return f"{parent}.{found['name']}" if parent else found["name"], "is missing"
    if found := _WRONG.match(problem):
        want = " or ".join(_WORDS.get(w, w) for w in found["want"].split(" | ") if w != "null")
        got = _WORDS.get(found["got"], found["got"])
        return _path(found["at"]) or "body", f"must be {want or 'null'}, not {got}"
    if found := _UNKNOWN.match(problem):
        field = _path(found["at"])
        known = ", ".join(_choices(type_, field.split(".")))
        return field or "body", f"{found['value']} is not one of {known or 'the known values'}"
    if found := _BOUND.match(problem):
        want, bound = _WORDS[found["want"]], _BOUNDS[found["sign"]]
        return _path(found["at"]) or "body", f"must be {want}, {bound} {found['than']}"
    if found := _PLACE.match(problem):
        return _path(found["at"]) or "body", found["rest"]
    return "body", problem


def _path(at: str | None) -> str:
    return (at or "$").removeprefix("$").removeprefix(".")


def _choices(type_: Any, names: list[str]) -> list[str]:
    """The values of the enumeration that the field `names` of `type_` takes."""
    for name in names:
        structs = [t for t in _alternatives(type_) if hasattr(t, "__struct_fields__")]
        hints = typing.get_type_hints(structs[0]) if structs else {}
        type_ = hints.get(name.partition("[")[0])
    enums = [t for t in _alternatives(type_) if isinstance(t, type) and issubclass(t, Enum)]
    return [str(member.value) for enum in enums for member in enum]


def _alternatives(type_: Any) -> tuple[Any, ...]:
    return typing.get_args(type_) or (type_,)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in `value` with the path to it, the keys of objects included."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _texts(item, f"{path}.{key}" if path else key)
