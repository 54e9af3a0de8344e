"""Translating requests of vibe-kanban's clients into ours, and our answers into theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from anyond.http.answer.envelope import encode
from anyond.http.application import REFUSED
from anyond.http.vk import pacing, shapes, site, spellings
from anyond.http.wire.connection import EXTEND_DEADLINE, PARTING
from anyond.http.wire.fragments import SEND_TEXTS

if TYPE_CHECKING:
    from anyond.http.application import App, AsgiApp, Receive, Send
    from anyond.services.services import Services

PREFIX = "vk"
FORMAT = "patch"

_BOARD = "/api/tasks/stream/ws"
_RUNS = "/api/execution-processes/stream/ws"
_LOGS = re.compile(r"/api/execution-processes/([^/]+)/(?:raw|normalized)-logs/ws")


class VkGateway:
    """The API in the wire format, for paths with the prefix and without it."""

    def __init__(self, app: App, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(f"/{PREFIX}") or "/"
        if scope["type"] == "websocket":
            await self._stream({**scope, "path": path}, receive, send)
            return
        scope, receive = spellings.translated({**scope, "path": path}, receive)
        path = scope["path"]
        own = f"/{PREFIX}{path}"
        mine, plain = self._app.routes.methods(own), self._app.routes.methods(path)
        if mine:
            send = _allowing(mine | plain, send)
        if scope["method"] in mine or (mine and not plain):
            await self._app.answer({**scope, "path": own}, receive, send)
            return
        if path == "/api/events":
            scope = {**scope, "query_string": _query(scope)}
        shape = shapes.of(scope["method"], path)
        if shape is not None:
            refused: list[BaseException] = []
            scope = {**scope, REFUSED: refused}
            send = _Reshaped(send, partial(shape, self._services), refused)
        await self._app.answer({**scope, "path": path}, receive, send)

    def listener_app(self, ui: Path | None) -> AsgiApp:
        """Return the application of a listener whose every path has the wire format; see
        `Gateway`.
        """
        files = None if ui is None else site.create(self._app.policy, self._services.closing, ui)

        async def serve(scope: Any, receive: Receive, send: Send) -> None:
            first = scope["path"].lstrip("/").partition("/")[0]
            ours = scope["type"] == "websocket" or first in {"api", "health", PREFIX}
            ours = ours or spellings.IMAGE.fullmatch(scope["path"]) is not None
            await (self if ours or files is None else files)(scope, receive, send)

        return serve

    async def _stream(self, scope: Any, receive: Receive, send: Send) -> None:
        log = _LOGS.fullmatch(scope["path"])
        if log is not None:
            # Their clients do not notice that such a stream was cut off, and wait for ever.
            be_patient = scope.get("state", {}).get(EXTEND_DEADLINE)
            if be_patient is not None:
                be_patient()
            send = pacing.status_first(self._services, log[1].lower(), send)
        if scope["path"] == _BOARD:
            send = pacing.parting_last(scope.get("state", {}).get(PARTING), send)
        if scope["path"] == _RUNS:
            send = pacing.running_first(send)
            state = scope.get("state") or {}  # each message is looked at, so none goes past it
            scope = {**scope, "state": {k: v for k, v in state.items() if k != SEND_TEXTS}}
        # They know no positions; each connection begins with an empty document.
        scope = {**scope, "query_string": _query(scope, without={"after", "batch"})}
        await self._app.answer(scope, receive, send)


def _allowing(methods: set[str], send: Send) -> Send:
    """`send`, but a refused method is told all that there are, with the prefix and without it."""
    allow = (b"allow", ", ".join(sorted(methods)).encode())

    async def wrapped(message: Any) -> None:
        if message.get("status") == HTTPStatus.METHOD_NOT_ALLOWED:
            others = [header for header in message["headers"] if header[0].lower() != b"allow"]
            message = {**message, "headers": [*others, allow]}
        await send(message)

    return wrapped


class _Reshaped:
    """An ASGI `send` that holds an answer back until it is whole, and sends it in another shape."""

    def __init__(
        self, send: Send, reshape: shapes.Reshape, refused: Sequence[BaseException]
    ) -> None:
        self._send = send
        self._reshape = reshape
        self._refused = refused
        self._start: Any = None
        self._body = bytearray()

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        start, body = self._start, bytes(self._body)
        if body:  # else it is the answer to a HEAD, or that the client knows it already
            error = self._refused[-1] if self._refused else None
            old = shapes.Answer(start["status"], msgspec.json.decode(body), error)
            new = await self._reshape(old)
            if new is not old:
                body = encode(new.body)
                others = [h for h in start["headers"] if h[0].lower() != b"content-length"]
                length = (b"content-length", b"%d" % len(body))
                start = {**start, "status": new.status, "headers": [*others, length]}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _query(scope: Any, without: set[str] | None = None) -> bytes:
    """The query string, with the format that makes a stream one of this wire format."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    others = [(k, v) for k, v in pairs if k != "format" and k not in (without or ())]
    return urlencode([*others, ("format", FORMAT)]).encode()
