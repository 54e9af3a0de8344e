"""The envelope of JSON answers, and ETags that save sending one again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from quart import Response, request

JSON = "application/json"


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


def answer(value: object, status: int = 200) -> Response:
    """The answer to a request that changed something, or that has nothing worth keeping."""
    return Response(success(encode(value)), status, content_type=JSON)


def cached(value: object) -> Response:
    """The answer to a GET: 304 without a body if the client holds exactly this already."""
    body = success(encode(value))
    return to_response(Known(body, f'"{blake2b(body, digest_size=16).hexdigest()}"'))


def to_response(known: Known) -> Response:
    """Like `cached`, of what is encoded already."""
    headers = {"ETag": known.etag, "Cache-Control": "no-cache"}
    if _holds(request.headers.get("If-None-Match", ""), known.etag):
        unchanged = Response(b"", 304, headers)
        del unchanged.headers["Content-Length"], unchanged.headers["Content-Type"]  # of no body
        return unchanged
    return Response(known.body, 200, headers, content_type=JSON)


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
