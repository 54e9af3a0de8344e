"""Parameters of a request from its path, its query string and its headers."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeVar
from urllib.parse import unquote_plus, unquote_to_bytes

from msgspec import Struct

from anyond.api.declaration.checks import KINDS
from anyond.api.declaration.endpoint import Endpoint, Parameter
from anyond.http.request.json_request import JsonRequest
from anyond.model.configuration.settings import Executor, SoundFile
from anyond.model.refusals.requests import Invalid, Malformed, NotFound
from anyond.settings.names import executor_named

P = TypeVar("P", bound=Struct)

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LARGEST = 2**63 - 1


Reader = Callable[[str, str], Any]
"""Given a text and the name of its field; returns the value. Raises `Invalid`."""


def read_params(endpoint: Endpoint[P], request: JsonRequest) -> P:
    """The parameters of `request`, a WebSocket's too.

    Raises:
        Invalid: one is missing or malformed; it is named.
        NotFound: the path names a thing that there cannot be.
    """
    found = {}
    for parameter, attribute, read in _readers(endpoint):
        match parameter.place:
            case "path":
                text = request.path_params.get(parameter.name)
            case "query":
                text = request.query.get(parameter.name)
            case _:
                text = request.headers.get(parameter.name.lower())
        if text:
            found[attribute] = read(text, parameter.field)
        elif parameter.required:
            raise Malformed(parameter.field, f"is missing; add ?{parameter.name}={parameter.hint}")
        elif text is not None and parameter.type in {bool, int} and parameter.place == "query":
            found[attribute] = read(text, parameter.field)  # which says what is wrong with it
    return endpoint.params(**found)


@cache
def _readers(endpoint: Endpoint[Any]) -> tuple[tuple[Parameter, str, Reader], ...]:
    # Not before the first request: a daemon that starts has better things to do.
    return tuple((p, p.field, _reader(p)) for p in endpoint.parameters())


def _reader(parameter: Parameter) -> Reader:
    if parameter.kind is not None:
        return KINDS[parameter.kind]
    if parameter.type is bool:
        return flag
    if parameter.type is int:
        return position
    if parameter.type is Executor:
        return _executor
    if parameter.type is SoundFile:
        return _sound
    if issubclass(parameter.type, Enum):
        return _choice(parameter.type)
    return _text


def flag(text: str, field: str) -> bool:
    """`text` as a yes or no. Raises `Invalid`."""
    if text.lower() not in _FLAGS:
        raise Invalid(field, "must be true or false")
    return _FLAGS[text.lower()]


def position(text: str, field: str) -> int:
    """`text` as a position of a stream. Raises `Invalid`."""
    if not (text.isascii() and text.isdigit()):
        raise Invalid(field, "must be a whole number that is not negative")
    if len(text) > 4_000 or int(text) > _LARGEST:  # Python itself refuses to read longer ones
        raise Invalid(field, f"must be at most {_LARGEST}")
    return int(text)


def check_text(query: str) -> None:
    """Raises `Invalid` if a query string, as it came, stands for bytes that are no text.

    Whoever reads it later gets other characters in their place, and would look for those.
    """
    if "%" not in query:
        return
    for part in query.split("&"):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            name = unquote_plus(part.partition("=")[0])
            known = name and "\ufffd" not in name
            raise Invalid(name if known else "query string", "is not valid UTF-8") from None


def _text(text: str, field: str) -> str:
    if "\0" in text:
        raise Invalid(field, "must not contain NUL characters")
    return text


def _choice(kind: type[Enum]) -> Reader:
    values = [str(member.value) for member in kind]

    def choose(text: str, field: str) -> Enum:
        if text not in values:
            raise Invalid(field, f"{text[:40]} is not one of {', '.join(values)}")
        return kind(text)

    return choose


def _executor(text: str, field: str) -> Executor:
    found = executor_named(text)
    if found is None:
        raise Invalid(field, f"{text[:40]} is not one of {', '.join(Executor)}")
    return found


def _sound(text: str, _: str) -> SoundFile:
    try:
        return SoundFile(text)
    except ValueError:
        raise NotFound("sound", text) from None
