"""The chapter Search: all that was written, said and done, by its words."""

from __future__ import annotations

from anyond.api import search as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.found import SearchPage
from anyond.model.refusals.requests import Invalid
from anyond.store.runs import text_query, text_search


async def search(backend: Backend, params: api.Searched) -> SearchPage:
    if not 1 <= params.limit <= api.MOST_HITS:
        raise Invalid("limit", f"must be between 1 and {api.MOST_HITS}")
    query = text_query.parse(params.q)
    before = _number(params.cursor) if params.cursor else None
    return await backend.store.read(lambda r: text_search.search(r, query, params.limit, before))


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid("cursor", "is not one that a page before has named")
    return int(cursor)


ROUTES = (route(api.SEARCH, search),)
