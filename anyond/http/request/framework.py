"""The same requests and answers where Quart has taken them in."""

from __future__ import annotations

from quart import Response, request, websocket

from anyond.http.request.json_request import JsonAnswer, Texts


class QuartRequest:
    """The current request of Quart, as endpoints read it."""

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


class QuartWebsocket:
    """The current WebSocket of Quart, as endpoints read what it asks for."""

    @property
    def path_params(self) -> Texts:
        return websocket.view_args or {}

    @property
    def query(self) -> Texts:
        return websocket.args

    @property
    def headers(self) -> Texts:
        return websocket.headers

    async def read(self) -> bytes:
        """It has no body."""
        return b""


def as_response(answer: JsonAnswer) -> Response:
    """The answer as Quart sends it."""
    response = Response(answer.body, answer.status, dict(answer.headers))
    if answer.content_type is None:
        del response.headers["Content-Length"], response.headers["Content-Type"]  # of no body
    else:
        response.content_type = answer.content_type
    return response
