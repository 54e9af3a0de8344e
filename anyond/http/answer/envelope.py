"""The envelope of JSON answers, and ETags that save sending one again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from anyond.http.request.json_request import JSON, JsonAnswer, JsonRequest

__all__ = ["JSON", "Known", "answer", "cached", "encode", "failure", "from_known", "success"]


class Known(NamedTuple):
    """A whole answer in its envelope, and what identifies it, in quotes."""

    body: bytes
    etag: str


def encode(value: object) -> bytes:
    """`value` as JSON.

    File and branch names may hold bytes that are not UTF-8; Python carries them as lone
    surrogates, which JSON cannot. They are shown as `?` rather than failing the whole answer.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_printable(msgspec.to_builtins(value)))


def success(data: bytes) -> bytes:
    """The envelope around `data`, which is JSON already."""
    return b'{"success":true,"data":' + data + b',"error_data":null,"message":null}'


def failure(message: str, data: dict[str, Any] | None = None) -> bytes:
    """The envelope of a refusal: the sentence for people, `data` for programs."""
    return encode({"success": False, "data": None, "error_data": data, "message": message})


def answer(value: object, status: int = 200) -> JsonAnswer:
    """The answer to a request that changed something, or that has nothing worth keeping."""
    return JsonAnswer(status, success(encode(value)))


def cached(value: object, request: JsonRequest) -> JsonAnswer:
    """The answer to a GET: 304 without a body if the client holds exactly this already."""
    body = success(encode(value))
    return from_known(Known(body, f'"{blake2b(body, digest_size=16).hexdigest()}"'), request)


def from_known(known: Known, request: JsonRequest) -> JsonAnswer:
    """Like `cached`, of what is encoded already."""
    headers = {"ETag": known.etag, "Cache-Control": "no-cache"}
    if _holds(request.headers.get("if-none-match") or "", known.etag):
        return JsonAnswer(304, b"", None, headers)
    return JsonAnswer(200, known.body, headers=headers)


def _holds(condition: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return etag in tags or "*" in tags


def _printable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_printable(item) for item in value]
        case dict():
            return {_printable(key): _printable(item) for key, item in value.items()}
        case _:
            return value
