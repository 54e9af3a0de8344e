"""Answering JSON endpoints straight from their declarations, without a framework between.

Most of what a framework makes of a request (its context, its routing by expressions, the objects
for headers and cookies, a task that waits for the client to leave) no JSON endpoint reads; it cost
more than the endpoint itself. What is not found here (other methods, streams, files, forms, paths
that there are not) goes to Quart, which answers it in the same words: guard, decoding, encoding
and refusals are the same functions on both ways.

A client that leaves cancels what works for it, as on the other way: its connection does that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from anyond.http.answer.refusal import Refusal, cancelled, refusal
from anyond.http.request.body import ClientLeft, largest
from anyond.http.request.json_request import AsgiRequest, JsonAnswer, JsonRequest

View = Callable[[JsonRequest], Awaitable[JsonAnswer]]


class Found(NamedTuple):
    """The function that answers a request, and the texts in its path."""

    view: View
    path_params: dict[str, str]


class DirectRoutes:
    """The JSON endpoints by method and path."""

    def __init__(self) -> None:
        self._fixed: dict[tuple[str, str], View] = {}
        self._variable: dict[tuple[str, int], list[tuple[tuple[str, ...], View]]] = {}

    def add(self, method: str, path: str, view: View) -> None:
        """Answer `method` at `path`, whose parts in braces are parameters."""
        if "{" not in path:
            self._fixed[method, path] = view
            return
        parts = tuple(path.split("/"))
        self._variable.setdefault((method, len(parts)), []).append((parts, view))

    def find(self, method: str, path: str) -> Found | None:
        """Find the function that answers a request, a fixed path before a variable one."""
        if path.endswith("/"):
            path = path[:-1]
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return Found(fixed, {})
        given = path.split("/")
        for parts, view in self._variable.get((method, len(given)), ()):
            params = _match(parts, given)
            if params is not None:
                return Found(view, params)
        return None


def _match(parts: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, text in zip(parts, given, strict=True):
        if part[:1] == "{":
            if not text:
                return None
            params[part[1:-1]] = text
        elif part != text:
            return None
    return params


async def answer(found: Found, scope: Any, receive: Any, send: Any, refused: list[Any]) -> None:
    """Have `found` answer the request, or say why not.

    Args:
        refused: gets the error with which it ended, if it did.
    """
    request = AsgiRequest(scope, receive, found.path_params, largest(scope["path"]))
    made: JsonAnswer | Refusal
    try:
        made = await found.view(request)
    except ClientLeft:
        return
    except Exception as error:
        if cancelled(error):
            raise
        refused.append(error)
        made = refusal(error, scope["method"], scope["path"])
    await _send(send, made)


async def _send(send: Any, made: JsonAnswer | Refusal) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in made.headers.items()
    ]
    if isinstance(made, JsonAnswer) and made.content_type is not None:
        headers.append((b"content-type", made.content_type.encode("latin-1")))
    if made.body or isinstance(made, Refusal) or made.content_type is not None:
        headers.append((b"content-length", b"%d" % len(made.body)))
    await send({"type": "http.response.start", "status": made.status, "headers": headers})
    await send({"type": "http.response.body", "body": made.body})
