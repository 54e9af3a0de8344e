"""Every route of the API, read from its own declarations: a new one takes part by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration.endpoint import Endpoint, Stream, UploadCall
from anyond.api.examples.all import EXAMPLES, NONE

KINDS = {
    "projects": "project",
    "tasks": "task",
    "task-attempts": "attempt",
    "execution-processes": "process",
    "approvals": "question",
    "tags": "tag",
    "images": "image",
}
"""By the part of a path before an id: what it is an id of."""

OUTSIDE = re.compile(r"/auth/github/|/(push|pr|attach)$")
"""Where GitHub or a remote has a part; nobody is there, and 502 or 503 may say so."""


class Route(NamedTuple):
    """One route with what it takes.

    Args:
        method: of HTTP; a WebSocket is a GET that is `upgraded`.
        parts: its path at the places of ids: fixed text, and the kinds of ids in between.
        query: the parameters that it reads, with an example of each.
        body: an example; None if it reads none.
        upload: the name of the part of a form that is a file.
    """

    method: str
    upgraded: bool
    parts: tuple[str, ...]
    query: dict[str, Any]
    body: Any
    upload: str | None

    @property
    def path(self) -> str:
        return "{}".join(self.parts)

    @property
    def outside(self) -> bool:
        return OUTSIDE.search(self.path) is not None

    def kind(self, place: int) -> str:
        """The kind of row that the id in that part is one of."""
        words = self.parts[place].strip("/").split("/")
        return KINDS.get(words[-1], "project")


def routes() -> list[Route]:
    """All of them, as they are, and as clients of vibe-kanban reach them."""
    return [route for endpoint in ENDPOINTS for route in _both(endpoint)]


def _both(endpoint: Endpoint[Any]) -> Iterator[Route]:
    plain = Route(
        method=endpoint.verb.upper(),
        upgraded=isinstance(endpoint, Stream),
        parts=tuple(re.split(r"\{[^}]*\}", endpoint.path)),
        query={
            p.name: msgspec.to_builtins(p.example)
            for p in endpoint.parameters()
            if p.place != "path"
        },
        body=msgspec.to_builtins(EXAMPLES.get(endpoint, NONE).send),
        upload=endpoint.form_field if isinstance(endpoint, UploadCall) else None,
    )
    yield plain
    if plain.parts[0].startswith("/api/"):
        yield plain._replace(parts=("/vk" + plain.parts[0], *plain.parts[1:]))
