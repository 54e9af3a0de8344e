"""The methods of the protocol, by name: what a request is answered with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from anyond import __version__
from anyond.http.mcp import resources
from anyond.http.mcp.catalogue import BY_NAME, TOOLS
from anyond.http.mcp.inner import Refused
from anyond.http.mcp.looking import cut
from anyond.http.mcp.messages import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MODERN,
    VERSIONS,
    WITH_HANDSHAKE,
    Json,
    Message,
    RpcError,
)
from anyond.http.mcp.person import Declined, InputRequired
from anyond.http.mcp.tool import Call

_ANSWER_CHARACTERS = 100_000
_FRESH_MS = 60_000
"""How long the lists hold, which only another version of Anyon changes."""
_SERVER = "io.modelcontextprotocol/serverInfo"
_INSTRUCTIONS = (
    "Anyon runs coding agents. A project is a repository; a task is something to be done in it; an"
    " attempt is an agent at work on a task, in a worktree and a branch of its own. `context` tells"
    " which of them you are in. Start an attempt, wait for it (wait_for), read what it wrote with"
    " read_conversation and what it changed with get_diff, then send it a message or merge it."
)

log = structlog.get_logger("anyond.mcp")


def _server() -> Json:
    return {"name": "anyon", "title": "Anyon", "version": __version__}


def _capabilities(*, modern: bool) -> Json:
    return {"tools": {}, "prompts": {}, "resources": {"subscribe": True} if modern else {}}


class Methods:
    """The answers to one request.

    Args:
        modern: whether it is one of the revision without sessions.
    """

    def __init__(self, call: Call, *, modern: bool) -> None:
        self._call = call
        self._modern = modern

    async def result(self, message: Message) -> Json:
        """The result of `message`.

        Raises:
            RpcError: there is none.
        """
        methods: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "tools/list": self._tools,
            "tools/call": self._call_tool,
            "resources/list": self._resources,
            "resources/templates/list": self._templates,
            "resources/read": self._read,
            "prompts/list": self._prompts,
            "prompts/get": self._prompt,
        }
        if self._modern:
            methods["server/discover"] = self._discover
        else:
            methods["initialize"] = self._initialize
            methods["ping"] = self._ping
        method = methods.get(message.method or "")
        if method is None:
            text = f"There is no method {(message.method or '')[:60]}."
            raise RpcError(METHOD_NOT_FOUND, text)
        try:
            found = await method(message.params)
        except InputRequired as required:
            asked = {required.key: required.request}
            return {"resultType": "input_required", "inputRequests": asked}
        except Refused as refused:
            raise RpcError(INVALID_PARAMS, str(refused), refused.data) from refused
        return {"resultType": "complete", **found} if self._modern else found

    def _lasting(self, found: Json, ms: int = _FRESH_MS) -> Json:
        return {**found, "ttlMs": ms, "cacheScope": "private"} if self._modern else found

    async def _discover(self, _: Json) -> Json:
        found = {
            "supportedVersions": [MODERN],
            "capabilities": _capabilities(modern=True),
            "instructions": _INSTRUCTIONS,
            "_meta": {_SERVER: _server()},
        }
        return self._lasting(found)

    async def _initialize(self, params: Json) -> Json:
        asked = params.get("protocolVersion")
        if not isinstance(asked, str):
            raise RpcError(INVALID_PARAMS, "protocolVersion: must be text.")
        return {
            "protocolVersion": asked if asked in WITH_HANDSHAKE else WITH_HANDSHAKE[0],
            "capabilities": _capabilities(modern=False),
            "serverInfo": _server(),
            "instructions": _INSTRUCTIONS,
        }

    async def _ping(self, _: Json) -> Json:
        return {}

    async def _tools(self, params: Json) -> Json:
        _no_cursor(params)
        return self._lasting({"tools": [tool.described() for tool in TOOLS]})

    async def _resources(self, params: Json) -> Json:
        _no_cursor(params)
        return self._lasting({"resources": resources.LISTED})

    async def _templates(self, params: Json) -> Json:
        _no_cursor(params)
        return self._lasting({"resourceTemplates": resources.TEMPLATES})

    async def _prompts(self, params: Json) -> Json:
        _no_cursor(params)
        return self._lasting({"prompts": resources.PROMPTS})

    async def _read(self, params: Json) -> Json:
        return self._lasting(await resources.read(self._call, _named(params, "uri")), 0)

    async def _prompt(self, params: Json) -> Json:
        return resources.prompt(_named(params, "name"), _arguments(params))

    async def _call_tool(self, params: Json) -> Json:
        name = _named(params, "name")
        tool = BY_NAME.get(name)
        if tool is None:
            raise RpcError(INVALID_PARAMS, f"There is no tool {name[:60]}; see tools/list.")
        arguments = _arguments(params)
        try:
            found = await tool.run(self._call, tool.checked(arguments))
        except Refused as refused:
            described = {"message": str(refused), **refused.data}
            return {**_result_of_tool(described), "isError": True}
        except Declined:
            described = {"message": "The person does not want that.", "type": "declined"}
            return {**_result_of_tool(described), "isError": True}
        return _result_of_tool(found)


def _result_of_tool(found: Any) -> Json:
    """The text for a model, and the same for programs; these get objects only."""
    whole = found if isinstance(found, dict) else {"items": found if found is not None else []}
    if found is None:
        whole = {"done": True}
    text = cut(msgspec.json.encode(whole).decode(), _ANSWER_CHARACTERS)
    return {"content": [{"type": "text", "text": text}], "structuredContent": whole}


def _named(params: Json, field: str) -> str:
    value = params.get(field)
    if not isinstance(value, str) or not value:
        raise RpcError(INVALID_PARAMS, f"{field}: must be text.")
    return value


def _arguments(params: Json) -> Json:
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "arguments: must be an object.")
    return arguments


def _no_cursor(params: Json) -> None:
    """Raises `RpcError` for a cursor: everything is on the first page, so nobody gave it one."""
    if params.get("cursor") is not None:
        raise RpcError(INVALID_PARAMS, "cursor: there is only one page.")


def unexpected(error: Exception) -> RpcError:
    """The error for a client, of something that is our mistake; the log has the rest."""
    log.error("mcp_failed", exc_info=error)
    return RpcError(INTERNAL_ERROR, "Something went wrong in Anyon; its log says what.")


def unsupported(asked: str) -> RpcError | None:
    """The error for a revision that is not spoken here; None for those that are."""
    if asked in VERSIONS:
        return None
    from_us = {"supported": list(VERSIONS), "requested": asked[:60]}
    return RpcError(-32022, "This revision of the protocol is not spoken here.", from_us)
