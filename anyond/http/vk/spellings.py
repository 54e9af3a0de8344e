"""Other spellings of requests that clients of vibe-kanban's family send, and what they are here.

One table. A spelling is only read in the `vk` form; the API itself knows one for each thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPMethod
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from anyond.model.http.search import MatchType, SearchMode
from anyond.model.rows import ApprovalStatus

if TYPE_CHECKING:
    from anyond.http.application import Receive

Body = dict[str, Any]
_LARGEST = 4 * 1024**2
"""A longer body is passed on as it is, and refused for its size where that is done."""


class Spelling(NamedTuple):
    """One other way to say something.

    Args:
        method: of the request as it comes.
        path: what its path has to match.
        body: its JSON body in our words, given the body and the match; None leaves it alone.
        to_path: our path, as a template of `re.Match.expand`.
        to_method: our method.
        query: what is added to the query string, as templates of `re.Match.expand`.
        values: what parameters of the query string are in our words, by how they are spelled.
    """

    method: str
    path: re.Pattern[str]
    body: Callable[[Body, re.Match[str]], Body] | None = None
    to_path: str | None = None
    to_method: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, Mapping[str, str]] = {}


def translated(scope: Any, receive: Receive) -> tuple[Any, Receive]:
    """The same request in the words of the API; as it is if it has them already."""
    for spelling in _TABLE:
        match = spelling.path.fullmatch(scope["path"])
        if match is not None and spelling.method == scope["method"]:
            if spelling.body is not None:
                receive = _Translated(receive, spelling.body, match)
                scope = {**scope, "headers": _without_length(scope["headers"])}
            if spelling.to_path is not None:
                scope = {**scope, "path": match.expand(spelling.to_path)}
            more = [(name, match.expand(value)) for name, value in spelling.query]
            return {
                **scope,
                "method": spelling.to_method or scope["method"],
                "query_string": _with(scope["query_string"], more, spelling.values),
            }, receive
    return scope, receive


def _renamed(**names: str) -> Callable[[Body, re.Match[str]], Body]:
    """A translation of fields: theirs=ours; what is said in our words counts."""

    def translate(body: Body, _: re.Match[str]) -> Body:
        translated = {ours: body[theirs] for theirs, ours in names.items() if theirs in body}
        return {**translated, **body}

    return translate


def _decision(body: Body, _: re.Match[str]) -> Body:
    approved = body.get("approved")
    if not isinstance(approved, bool) or "status" in body:
        return body
    status = ApprovalStatus.APPROVED if approved else ApprovalStatus.DENIED
    return {**body, "status": {"status": status, "reason": body.get("comment")}}


def _in_project(body: Body, match: re.Match[str]) -> Body:
    return {"project_id": match["project"], **body}


_ATTEMPT = "/api/task-attempts/[^/]+"
_TASKS = "/api/projects/(?P<project>[^/]+)/tasks"

_SEARCH_MODES: dict[str, str] = {
    **{mode.lower(): mode for mode in SearchMode},
    # Some take the ways in which a file is found for modes; all of them are looked for.
    **dict.fromkeys(MatchType, SearchMode.TASK_FORM),
}

IMAGE = re.compile(r"(?:/.*)?/\.vibe/images/(?P<name>[^/]+)")
"""What a link in a text to an image becomes when a page shows it, wherever the page is."""

_TABLE = (
    Spelling(HTTPMethod.GET, IMAGE, to_path=r"/api/images/named/\g<name>"),
    Spelling(HTTPMethod.HEAD, IMAGE, to_path=r"/api/images/named/\g<name>"),
    Spelling(
        HTTPMethod.GET,
        re.compile("/api/projects/[^/]+/search"),
        values={"mode": _SEARCH_MODES},
    ),
    Spelling(
        HTTPMethod.POST,
        re.compile(f"{_ATTEMPT}/change-target-branch"),
        _renamed(target_branch="new_target_branch"),
    ),
    Spelling(
        HTTPMethod.POST,
        re.compile(f"{_ATTEMPT}/rebase"),
        _renamed(base_branch="new_base_branch", target_branch="new_base_branch"),
    ),
    Spelling(
        HTTPMethod.POST,
        re.compile(f"{_ATTEMPT}/rename-branch"),
        _renamed(branch="new_branch_name", branch_name="new_branch_name"),
    ),
    Spelling(
        HTTPMethod.POST,
        re.compile(f"{_ATTEMPT}/pr"),
        _renamed(base_branch="target_branch", description="body"),
    ),
    Spelling(
        HTTPMethod.POST,
        re.compile("/api/task-attempts"),
        _renamed(target_branch="base_branch"),
    ),
    Spelling(
        HTTPMethod.POST,
        re.compile("/api/tasks/create-and-start"),
        _renamed(target_branch="base_branch"),
    ),
    Spelling(HTTPMethod.POST, re.compile(f"{_ATTEMPT}/draft"), to_method=HTTPMethod.PUT),
    Spelling(HTTPMethod.POST, re.compile("/api/approvals/[^/]+/respond"), _decision),
    # The page sends its whole file; what is missing there has been deleted.
    Spelling(HTTPMethod.PUT, re.compile("/api/profiles"), query=(("replace", "true"),)),
    Spelling(
        HTTPMethod.GET,
        re.compile(_TASKS),
        to_path="/api/tasks",
        query=(("project_id", r"\g<project>"),),
    ),
    Spelling(HTTPMethod.POST, re.compile(_TASKS), _in_project, to_path="/api/tasks"),
    *(
        Spelling(method, re.compile(f"{_TASKS}/(?P<task>[^/]+)"), to_path=r"/api/tasks/\g<task>")
        for method in (HTTPMethod.GET, HTTPMethod.PUT, HTTPMethod.DELETE)
    ),
)


def _with(
    query: bytes, more: list[tuple[str, str]], values: Mapping[str, Mapping[str, str]]
) -> bytes:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    translated = [(name, values.get(name, {}).get(value, value)) for name, value in pairs]
    if not more and translated == pairs:
        return query
    return urlencode([*translated, *more]).encode()


def _without_length(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [header for header in headers if header[0].lower() != b"content-length"]


class _Translated:
    """An ASGI `receive` that holds a body back until it is whole, and hands on its translation."""

    def __init__(
        self,
        receive: Receive,
        translate: Callable[[Body, re.Match[str]], Body],
        match: re.Match[str],
    ) -> None:
        self._receive = receive
        self._translate = translate
        self._match = match
        self._begun = False

    async def __call__(self) -> Any:
        if self._begun:
            return await self._receive()
        self._begun = True
        body = bytearray()
        more = True
        while more and len(body) <= _LARGEST:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return {"type": "http.request", "body": self._translated(bytes(body)), "more_body": more}

    def _translated(self, body: bytes) -> bytes:
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return body  # whoever decodes it says what is wrong with it
        if not isinstance(found, dict):
            return body
        return msgspec.json.encode(self._translate(found, self._match))
