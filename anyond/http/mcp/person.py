"""The person behind a client, who is asked by a form that the client shows (elicitation).

Before the revision of 2026-07-28 a server sends a request of its own and waits for the response;
since then a tool answers that it needs something, and is called again with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from anyond.http.mcp.messages import Json, Message

ANSWER_S = 600.0
"""Seconds that a person has for a form."""
_MOST = 1000


class InputRequired(Exception):
    """The tool cannot go on without what `request` asks for, under the name `key`."""

    def __init__(self, key: str, request: Json) -> None:
        super().__init__(key)
        self.key = key
        self.request = request


class Declined(Exception):
    """The person does not want it, or did not answer."""


class Person(Protocol):
    """Whoever sits before the client."""

    async def ask(self, key: str, message: str, schema: Json) -> Json | None:
        """The fields of a form.

        Args:
            schema: an object of plain fields.

        Returns:
            None if the client shows no forms.

        Raises:
            Declined: the person does not want to.
            InputRequired: the answer comes with a later request.
        """


def _form(message: str, schema: Json) -> Json:
    return {"mode": "form", "message": message, "requestedSchema": schema}


def _content(response: object) -> Json:
    if not isinstance(response, dict) or response.get("action") != "accept":
        raise Declined
    content = response.get("content")
    return content if isinstance(content, dict) else {}


class Nobody:
    """A client that shows no forms."""

    async def ask(self, _: str, __: str, ___: Json) -> Json | None:
        await trio.lowlevel.checkpoint()
        return None


class AskedAgain:
    """A person whose answers come with the request that is sent again."""

    def __init__(self, responses: Json) -> None:
        self._responses = responses

    async def ask(self, key: str, message: str, schema: Json) -> Json | None:
        await trio.lowlevel.checkpoint()
        if key not in self._responses:
            request = {"method": "elicitation/create", "params": _form(message, schema)}
            raise InputRequired(key, request)
        return _content(self._responses[key])


class Forms:
    """The forms that clients show now, by the ids of the requests that showed them.

    An id cannot be guessed, so only who got the request can answer it.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, trio.MemorySendChannel[Json | None]] = {}

    def settle(self, response: Message) -> None:
        """Take a response; one that nobody waits for is dropped."""
        channel = self._waiting.pop(str(response.id), None)
        if channel is not None:
            channel.send_nowait(response.result)

    async def show(self, send: Callable[[Json], Awaitable[None]], params: Json) -> Json | None:
        """Send the request of a form, and wait for its response. Raises `Declined`."""
        if len(self._waiting) >= _MOST:
            raise Declined
        id = f"form-{secrets.token_urlsafe(16)}"
        sender, receiver = trio.open_memory_channel[Json | None](1)
        self._waiting[id] = sender
        try:
            request = {"jsonrpc": "2.0", "id": id, "method": "elicitation/create"}
            await send({**request, "params": params})
            with trio.move_on_after(ANSWER_S):
                return await receiver.receive()
            raise Declined
        finally:
            self._waiting.pop(id, None)


class AskedNow:
    """A person who is asked while the request is open, through its own stream."""

    def __init__(self, forms: Forms, send: Callable[[Json], Awaitable[None]]) -> None:
        self._forms = forms
        self._send = send

    async def ask(self, _: str, message: str, schema: Json) -> Json | None:
        params = _form(message, schema)
        del params["mode"]  # which came later
        return _content(await self._forms.show(self._send, params))
