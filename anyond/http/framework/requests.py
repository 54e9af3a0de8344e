"""Requests and answers where Quart has taken them in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from quart import Response, request

from anyond.http.framework import multipart
from anyond.http.framework.download import download
from anyond.http.request.json_request import JsonAnswer, Texts
from anyond.http.views import Answer, FileAnswer


class QuartRequest:
    """The current request of Quart, as endpoints read it; also its form."""

    @property
    def path_params(self) -> Texts:
        return request.view_args or {}

    @property
    def query(self) -> Texts:
        return request.args

    @property
    def headers(self) -> Texts:
        return request.headers

    async def read(self) -> bytes:
        return await request.get_data(cache=True, as_text=False, parse_form_data=False)

    @property
    def form(self) -> QuartRequest:
        return self

    async def save(
        self, field: str, write: Callable[[bytes], Awaitable[object]], also: Collection[str] = ()
    ) -> str:
        return await multipart.save(self, field, write, also)


async def as_response(answer: Answer) -> Response:
    """The answer as Quart sends it."""
    match answer:
        case FileAnswer():
            return await download(*answer)
        case JsonAnswer():
            response = Response(answer.body, answer.status, dict(answer.headers))
            response.content_type = answer.content_type or "application/json"
            return response
        case _:
            raise TypeError("streams are not sent through the framework")
