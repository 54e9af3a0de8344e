"""The Model Context Protocol between standard input and output and the daemon, line by line."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, BinaryIO

from anyond.client.blocking_connection import BlockingConnection
from anyond.client.waits import QUIET_S

_VERSION = "io.modelcontextprotocol/protocolVersion"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_INTERNAL_ERROR = -32603
_PARSE_ERROR = -32700
_LONGEST_S = 700.0
"""How long an answer in one piece may take; a person may have to fill in a form."""


class McpBridge:
    """One client, which speaks through standard input and output.

    Args:
        connection: finds the daemon again when it was restarted.
        write: prints one line; called by one thread at a time.
        directory: where the client works.
    """

    def __init__(
        self, connection: BlockingConnection, write: Callable[[bytes], None], directory: str
    ) -> None:
        self._connection = connection
        self._print = write
        self._directory = directory
        self._writing = threading.Lock()
        self._open: dict[Any, HTTPConnection] = {}
        self._version: str | None = None
        self._session: str | None = None

    def run(self, lines: BinaryIO) -> None:
        """Pass on each line until there are no more, and what is answered until all is."""
        threads: list[threading.Thread] = []
        for line in lines:
            if not line.strip():
                continue
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                self._fail(None, "The line is not JSON.", _PARSE_ERROR)
                continue
            if not isinstance(message, dict):
                message = {}
            if message.get("method") == "notifications/cancelled":
                self._cancel(message)
            if message.get("method") == "initialize":
                self._pass_on(message, line)  # what comes after it needs what it is answered
                continue
            thread = threading.Thread(target=self._pass_on, args=(message, line), daemon=True)
            thread.start()
            threads = [one for one in threads if one.is_alive()] + [thread]
        for request in list(self._open.values()):
            _leave(request)
        for thread in threads:
            thread.join(5.0)

    def _cancel(self, message: dict[str, Any]) -> None:
        params = message.get("params")
        request = self._open.get(params.get("requestId")) if isinstance(params, dict) else None
        if request is not None:
            _leave(request)

    def _pass_on(self, message: dict[str, Any], line: bytes) -> None:
        id = message.get("id")
        try:
            address = self._connection.address
            try:
                self._exchange(id, message, line)
            except (ConnectionRefusedError, FileNotFoundError):
                if not self._connection.relocate(address):
                    raise
                self._exchange(id, message, line)
        except (OSError, HTTPException, ValueError) as error:
            if id is not None and "method" in message:
                self._fail(id, str(self._connection.unanswered(error)), _INTERNAL_ERROR)

    def _exchange(self, id: Any, message: dict[str, Any], line: bytes) -> None:
        http, answer = self._connection.post("/mcp", self._headers(message), line, _LONGEST_S)
        if id is not None:
            self._open[id] = http
        try:
            if message.get("method") == "initialize":
                self._session = answer.headers.get("Mcp-Session-Id")
            if answer.headers.get_content_type() == "text/event-stream":
                if http.sock is not None:
                    http.sock.settimeout(QUIET_S)
                self._copy_events(answer)
            elif content := answer.read():
                self._take(message, content)
        finally:
            if id is not None:
                self._open.pop(id, None)
            http.close()

    def _copy_events(self, answer: HTTPResponse) -> None:
        while line := answer.readline():
            if line.startswith(b"data: "):
                self._write(line[6:].strip())

    def _take(self, message: dict[str, Any], content: bytes) -> None:
        sent = json.loads(content)
        if not isinstance(sent, dict) or sent.get("jsonrpc") != "2.0":
            # The guard, which knows nothing of this protocol, has refused.
            why = sent.get("message") if isinstance(sent, dict) else None
            raise ValueError(why or "it refused")
        result = sent.get("result")
        if message.get("method") == "initialize" and isinstance(result, dict):
            self._version = str(result.get("protocolVersion"))
        self._write(content)

    def _headers(self, message: dict[str, Any]) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Anyon-Directory": _escaped(self._directory),
        }
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        version = meta.get(_VERSION) if isinstance(meta, dict) else None
        if isinstance(version, str):
            method = str(message.get("method"))
            headers["MCP-Protocol-Version"] = _escaped(version)
            headers["Mcp-Method"] = _escaped(method)
            if isinstance(name := params.get(_NAMED.get(method, "")), str):
                headers["Mcp-Name"] = _escaped(name)
        elif self._version is not None:
            headers["MCP-Protocol-Version"] = self._version
            if self._session is not None:
                headers["Mcp-Session-Id"] = self._session
        return headers

    def _fail(self, id: Any, text: str, code: int) -> None:
        sent = {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}}
        self._write(json.dumps(sent).encode())

    def _write(self, line: bytes) -> None:
        with self._writing:
            self._print(line + b"\n")


def _escaped(text: str) -> str:
    """`text` as the value of a header."""
    if text.isascii() and text.isprintable() and text == text.strip() and "=?" not in text:
        return text
    encoded = base64.b64encode(text.encode(errors="surrogateescape")).decode()
    return f"=?base64?{encoded}?="


def _leave(http: HTTPConnection) -> None:
    """End an exchange that another thread reads."""
    sock = http.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(2)
