"""Messages of JSON-RPC as the Model Context Protocol has them, and the codes of its errors."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

MODERN = "2026-07-28"
"""The revision without sessions: each request says for itself who asks."""
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18")
"""The revisions before, the newest first, which begin with `initialize`."""
VERSIONS = (MODERN, *WITH_HANDSHAKE)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022

_STATUSES = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}

Json = dict[str, Any]
Id = int | str


class RpcError(Exception):
    """A request that is not answered with a result.

    Args:
        data: for programs.
    """

    def __init__(self, code: int, message: str, data: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data

    def status(self, *, modern: bool) -> int:
        """The status of HTTP; before the revision without sessions, every answer had 200."""
        return _STATUSES.get(self.code, 200) if modern else 200


class Message(Struct, frozen=True):
    """One message of a client.

    Args:
        id: None for a notification.
        method: None for a response.
        result: of a response; None if it is an error.
    """

    id: Id | None
    method: str | None
    params: Json
    result: Json | None = None

    @property
    def meta(self) -> Json:
        """The part of the parameters that is about the request itself."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def read(data: bytes) -> Message:
    """The message in the body of a request.

    Raises:
        RpcError: it is none, or several.
    """
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RpcError(PARSE_ERROR, f"The body is not JSON: {error}.") from error
    if not isinstance(found, dict) or found.get("jsonrpc") != "2.0":
        text = "The body must be one request, notification or response of JSON-RPC 2.0."
        raise RpcError(INVALID_REQUEST, text)
    id = found.get("id")
    if isinstance(id, bool) or not isinstance(id, int | str | None):
        raise RpcError(INVALID_REQUEST, "id: must be text or a whole number.")
    method = found.get("method")
    params = found.get("params", {})
    if method is None and id is not None and ("result" in found or "error" in found):
        result = found.get("result")
        return Message(id, None, {}, result if isinstance(result, dict) else None)
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "method: must be text.")
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "params: must be an object.")
    if "id" in found and id is None:
        raise RpcError(INVALID_REQUEST, "id: must not be null.")
    return Message(id, method, params)


def result_of(id: Id | None, result: Json) -> Json:
    """The message with a result."""
    return {"jsonrpc": "2.0", "id": id, "result": result}


def error_of(id: Id | None, error: RpcError) -> Json:
    """The message with an error; without an id if the request had none that could be read."""
    sent: Json = {"code": error.code, "message": str(error)}
    if error.data is not None:
        sent["data"] = error.data
    return {"jsonrpc": "2.0", "id": id, "error": sent}


def notification(method: str, params: Json) -> Json:
    """A message that is not answered."""
    return {"jsonrpc": "2.0", "method": method, "params": params}
