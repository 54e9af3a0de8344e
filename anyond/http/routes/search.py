"""The chapter Search: files of a project, found by a part of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Blueprint, Response, request

from anyond.http.decode import line
from anyond.http.envelope import answer
from anyond.http.query import identity
from anyond.model.errors import Invalid
from anyond.model.search import SearchMode

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`GET /api/projects/<id>/search`."""
    chapter = Blueprint("search", __name__)

    @chapter.get("/api/projects/<key>/search")
    async def search(key: str) -> Response:
        id = identity(key, "project_id")
        text = line(request.args.get("q", ""), "q").strip()
        name = request.args.get("mode") or SearchMode.TASK_FORM
        try:
            mode = SearchMode(name)
        except ValueError:
            raise Invalid("mode", f"must be {' or '.join(SearchMode)}") from None
        return answer(await services.searches.find(id, text, mode))

    return chapter
