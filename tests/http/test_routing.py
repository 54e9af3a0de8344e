"""Which requests are found, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration.endpoint import WEBSOCKET, Download, UploadCall
from anyond.http.answer.refusal import Misdirected
from anyond.http.routing import Route, Routes
from anyond.model.access import Scope
from tests.support.http.front_door import Server


async def nothing(_: Any) -> Any:
    raise NotImplementedError


def routes(*paths: str) -> Routes:
    made = Routes()
    for path in paths:
        made.add(Route("GET", path, nothing, Scope.READ, "Look"))
    return made


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/a", {}),
        ("/a/", {}),
        ("/a/b", {"x": "b"}),
        ("/a/b/", {"x": "b"}),
        ("/a/fixed", {}),
        ("/a/b/c", {"x": "b", "y": "c"}),
        ("/a/{x}", {"x": "{x}"}),
        ("/a//", None),
        ("/a//c", None),
        ("//a", None),
        ("/", None),
        ("", None),
        ("/A", None),
        ("/a/b/c/d", None),
    ],
)
def test_a_path_is_found_as_it_is_declared(path: str, params: dict[str, str] | None) -> None:
    table = routes("/a", "/a/{x}", "/a/fixed", "/a/{x}/{y}")
    if params is None:
        with pytest.raises(Misdirected, match="nothing at"):
            table.find("GET", path)
    else:
        assert table.find("GET", path).path_params == params


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("POST", "/a", 405, {"Allow": "GET, HEAD, PUT"}),
        ("POST", "/a/b", 405, {"Allow": "GET, HEAD"}),
        ("GET", "/b", 404, {}),
        ("OPTIONS", "/a", 405, {"Allow": "GET, HEAD, PUT"}),
        ("GET", "/stream", 426, {"Upgrade": "websocket"}),
        ("POST", "/stream", 426, {"Upgrade": "websocket"}),
        (WEBSOCKET, "/a", 400, {}),
        (WEBSOCKET, "/b", 404, {}),
    ],
)
def test_what_is_not_taken_is_told_why(
    method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    table = routes("/a", "/a/{x}")
    table.add(Route("PUT", "/a", nothing, Scope.READ, "Look"))
    table.add(Route(WEBSOCKET, "/stream", nothing, Scope.READ, "Look"))
    with pytest.raises(Misdirected) as refused:
        table.find(method, path)
    assert (refused.value.status, refused.value.headers) == (status, headers)


def test_what_answers_get_answers_head() -> None:
    assert routes("/a/{x}").find("HEAD", "/a/b").path_params == {"x": "b"}


def test_a_last_parameter_can_take_all_that_follows() -> None:
    table = routes("/", "/fixed", "/{name...}")
    assert table.find("GET", "/").path_params == {}
    assert table.find("GET", "/fixed").path_params == {}
    assert table.find("GET", "/assets/a.js").path_params == {"name": "assets/a.js"}
    assert table.find("GET", "/assets/").path_params == {"name": "assets/"}


async def test_only_forms_and_files_need_the_framework(server: Server) -> None:
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{", "").replace("}", "")
        found = server.app.routes.find(endpoint.method, path)
        assert found.route.framework == isinstance(endpoint, UploadCall | Download), endpoint.path
