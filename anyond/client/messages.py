"""Requests from calls and values from answers, by the declaration; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from anyond.api.declaration.endpoint import Answering, BodyCall, Endpoint, Stream
from anyond.client.errors import Refused
from anyond.client.refusals import refusal
from anyond.model.http.frames import FINISHED

A = TypeVar("A")
P = TypeVar("P", bound=Struct)

_JSON = "application/json"


class Request(NamedTuple):
    """One request; `target` is the path and the query string."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes


def request(endpoint: Endpoint[P], params: P, body: object = None) -> Request:
    """The request for `endpoint`."""
    path, query = endpoint.path, []
    headers: dict[str, str] = {}
    for parameter in endpoint.parameters():
        value = getattr(params, parameter.field)
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(_text(value), safe=""))
        elif value is None or (not parameter.required and value == parameter.default):
            continue
        elif parameter.place == "header":
            headers[parameter.name] = _text(value)
        else:
            query.append((parameter.name, _text(value)))
    target = f"{path}?{urlencode(query)}" if query else path
    content = b""
    if isinstance(endpoint, BodyCall):
        headers["Content-Type"] = _JSON
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Request(endpoint.verb.upper(), target, headers, content)


def answer(endpoint: Answering[Any, A], status: int, content: bytes) -> A:
    """The answer of `endpoint` that came with `status`.

    Raises:
        Refused: it is a refusal, or nothing that this client understands.
    """
    if status >= 300:
        raise refusal(status, content)
    try:
        if endpoint.bare:
            return msgspec.json.decode(content, type=endpoint.answer)
        data = msgspec.json.decode(content, type=_Success).data
        return msgspec.json.decode(data, type=endpoint.answer)
    except msgspec.DecodeError as error:
        raise Refused(status, f"The daemon's answer is not understood: {error}.") from error


class Frames:
    """The frames of one stream, message by message."""

    def __init__(self, endpoint: Stream[Any]) -> None:
        union: Any = endpoint.frames[0]
        for kind in endpoint.frames[1:]:
            union |= kind
        self._one = msgspec.json.Decoder(union)
        self._many = msgspec.json.Decoder(list[msgspec.Raw])
        self.over = False
        """Whether the stream has said that this was all."""

    def read(self, message: str | bytes | msgspec.Raw) -> list[Any]:
        """The frames in `message`; those of a newer daemon that are not known are left out."""
        content = message.encode() if isinstance(message, str) else bytes(message)
        if content.startswith(b"["):
            return [frame for part in self._many.decode(content) for frame in self.read(part)]
        if content == FINISHED:
            self.over = True
            return []
        try:
            return [self._one.decode(content)]
        except msgspec.ValidationError:
            return []


def resumed(params: P, seq: int | None) -> P:
    """`params` of a stream that goes on after the position `seq`."""
    return params if seq is None else msgspec.structs.replace(params, after=seq)


def headers(token: str | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers of every request, and `more`."""
    own = {"Authorization": f"Bearer {token}"} if token else {}
    return {**own, **(more or {})}


class _Success(Struct):
    data: msgspec.Raw


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.value) if isinstance(value, Enum) else str(value)
