"""The protocol over HTTP: one message in each POST, answered with JSON or a stream of events."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
import trio

from anyond.http.mcp import listening
from anyond.http.mcp.catalogue import BY_NAME
from anyond.http.mcp.inner import Answer, Inner
from anyond.http.mcp.messages import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MODERN,
    Json,
    Message,
    RpcError,
    error_of,
    notification,
    read,
    result_of,
)
from anyond.http.mcp.person import AskedAgain, AskedNow, Forms, Nobody, Person
from anyond.http.mcp.server import Methods, unexpected, unsupported
from anyond.http.mcp.tool import Call
from anyond.http.request import decode
from anyond.http.request.json_request import AsgiRequest, JsonAnswer
from anyond.http.views import OwnEvents

if TYPE_CHECKING:
    from anyond.http.backend import Backend

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
DIRECTORY = "anyon-directory"
"""The header by which `anyon mcp` says where its client works."""

_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_SHOWS_FORMS = "forms-"
"""How the id of a session begins whose client shows forms. Nothing is kept of a session: an id only
repeats what the client has declared when it began."""

Send = Callable[[Json], Awaitable[None]]


class McpView:
    """The view of the protocol.

    Args:
        answer: the application, for the endpoints behind the tools.
    """

    def __init__(self, answer: Answer, backend: Backend) -> None:
        self._answer = answer
        self._backend = backend
        self._forms = Forms()

    async def __call__(self, request: AsgiRequest) -> JsonAnswer | OwnEvents:
        """The answer to one message."""
        data = await decode.raw(request)
        try:
            message = read(data)
        except RpcError as error:
            return _json(error_of(None, error), error.status(modern=True))
        if message.method is None:
            self._forms.settle(message)
            return JsonAnswer(202, b"", None)
        modern = _is_modern(message, request)
        try:
            if message.id is None:
                _check_version(request)
                return JsonAnswer(202, b"", None)
            if modern:
                _check_modern(message, request)
            else:
                _check_version(request)
            return await self._respond(message, message.id, request, modern=modern)
        except RpcError as error:
            return _json(error_of(message.id, error), error.status(modern=modern))

    async def _respond(
        self, message: Message, id: int | str, request: AsgiRequest, *, modern: bool
    ) -> JsonAnswer | OwnEvents:
        inner = Inner(self._answer, request.scope, request.receive)
        if modern and message.method == "subscriptions/listen":
            call = Call(inner, self._backend, Nobody(), _silent, None)
            uris = await listening.honored_of(call, message.params)
            closing = self._backend.services.closing

            async def listen(send: Send) -> None:
                await listening.listen(call, id, uris, send, closing)

            return _events(listen)
        token = message.meta.get("progressToken")
        shows_forms = not modern and _asks(message) and _may_show_forms(request)
        if (token is not None or shows_forms) and _takes_events(request):

            async def respond(send: Send) -> None:
                sent = await self._outcome(message, id, inner, request, send, modern=modern)
                await send(sent[0])

            return _events(respond)
        made, status = await self._outcome(message, id, inner, request, None, modern=modern)
        headers = {}
        if message.method == "initialize" and "result" in made:
            capabilities = message.params.get("capabilities")
            if isinstance(capabilities, dict) and "elicitation" in capabilities:
                headers["Mcp-Session-Id"] = _SHOWS_FORMS + secrets.token_hex(16)
        return _json(made, status, headers)

    async def _outcome(
        self,
        message: Message,
        id: int | str,
        inner: Inner,
        request: AsgiRequest,
        send: Send | None,
        *,
        modern: bool,
    ) -> tuple[Json, int]:
        """The response, and the status of HTTP for it."""
        person = self._person(message, request, send, modern=modern)
        progress = _progress(message.meta.get("progressToken"), send)
        directory = request.headers.get(DIRECTORY)
        call = Call(inner, self._backend, person, progress, _unescaped(directory))
        try:
            return result_of(id, await Methods(call, modern=modern).result(message)), 200
        except RpcError as error:
            return error_of(id, error), error.status(modern=modern)
        except Exception as error:  # a client waits for a response, whatever has happened
            failed = unexpected(error)
            return error_of(id, failed), failed.status(modern=modern)

    def _person(
        self, message: Message, request: AsgiRequest, send: Send | None, *, modern: bool
    ) -> Person:
        if modern:
            capabilities = message.meta.get(CAPABILITIES)
            if isinstance(capabilities, dict) and "elicitation" in capabilities:
                responses = message.params.get("inputResponses")
                return AskedAgain(responses if isinstance(responses, dict) else {})
        elif send is not None and _may_show_forms(request):
            return AskedNow(self._forms, send)
        return Nobody()


def _is_modern(message: Message, request: AsgiRequest) -> bool:
    return VERSION in message.meta or request.headers.get("mcp-protocol-version") == MODERN


def _check_version(request: AsgiRequest) -> None:
    """Raises `RpcError` if the header names a revision that is not spoken here."""
    asked = request.headers.get("mcp-protocol-version")
    if asked is not None and (error := unsupported(asked)) is not None:
        raise error


def _check_modern(message: Message, request: AsgiRequest) -> None:
    """Raises `RpcError` if a request does not say all about itself, or its headers differ."""
    for key in (VERSION, CAPABILITIES):
        if key not in message.meta:
            raise RpcError(INVALID_PARAMS, f"_meta: {key} is missing.")
    asked = message.meta[VERSION]
    sent = {"mcp-protocol-version": asked, "mcp-method": message.method}
    if message.method in _NAMED:
        sent["mcp-name"] = message.params.get(_NAMED[message.method])
    for name, value in sent.items():
        given = request.headers.get(name)
        if name != "mcp-protocol-version":
            given = _unescaped(given)
        if given != value:
            text = f"The header {name} does not say what the body says."
            raise RpcError(HEADER_MISMATCH, text)
    if not isinstance(asked, str):
        raise RpcError(INVALID_PARAMS, f"_meta: {VERSION} must be text.")
    if asked != MODERN:
        raise unsupported(asked) or RpcError(INVALID_REQUEST, f"{asked} begins with initialize.")


def _unescaped(text: str | None) -> str | None:
    """The value of a header; what is no plain text comes as `=?base64?…?=`."""
    if text is None or not (text.startswith("=?base64?") and text.endswith("?=")):
        return text
    try:
        return base64.b64decode(text[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _asks(message: Message) -> bool:
    tool = BY_NAME.get(str(message.params.get("name")))
    return message.method == "tools/call" and tool is not None and tool.asks


def _may_show_forms(request: AsgiRequest) -> bool:
    return (request.headers.get("mcp-session-id") or "").startswith(_SHOWS_FORMS)


def _takes_events(request: AsgiRequest) -> bool:
    accept = request.headers.get("accept") or ""
    return "text/event-stream" in accept or "*/*" in accept


def _progress(token: object, send: Send | None) -> Callable[[str], Awaitable[None]]:
    if token is None or send is None:
        return _silent
    reported = 0

    async def tell(text: str) -> None:
        nonlocal reported
        reported += 1
        sent = {"progressToken": token, "progress": reported, "message": text}
        await send(notification("notifications/progress", sent))

    return tell


async def _silent(_: str) -> None:
    await trio.lowlevel.checkpoint()


def _json(message: Json, status: int = 200, headers: dict[str, str] | None = None) -> JsonAnswer:
    return JsonAnswer(status, msgspec.json.encode(message), headers=headers or {})


def _events(respond: Callable[[Send], Awaitable[None]]) -> OwnEvents:
    async def send_to(write: Callable[[bytes], Awaitable[Any]]) -> None:
        async def send(message: Json) -> None:
            await write(b"event: message\ndata: " + msgspec.json.encode(message) + b"\n\n")

        async with trio.open_nursery() as nursery:

            async def live() -> None:
                while True:
                    await trio.sleep(_QUIET_S)
                    await write(b": still here\n\n")

            nursery.start_soon(live)
            await respond(send)
            nursery.cancel_scope.cancel()

    return OwnEvents(send_to)


_QUIET_S = 15.0
