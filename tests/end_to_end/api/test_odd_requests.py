"""Requests that are odd as a whole: other methods, other types of content, bodies without end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.hostile.fuzz_target import FuzzTarget, open_fuzz_target
from tests.support.hostile.malformed import UNKNOWN, Request, Shape
from tests.support.hostile.shapes import (
    enveloped,
    routes,
)


@pytest.fixture(scope="module")
def fuzz_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzTarget]:
    with open_fuzz_target(tmp_path_factory.mktemp("fuzz") / "daemon") as made:
        yield made


def test_other_methods_than_those_of_a_route_are_405_and_what_is_no_route_is_404(
    fuzz_target: FuzzTarget,
) -> None:
    known = routes()
    for rule in {rule for _, rule in known}:
        # Below a prefix is what is there only, and all that is without it.
        plain = rule.removeprefix("/vk")
        methods = {method for method, its in known if its in {rule, plain}}
        if "WEBSOCKET" in methods:
            continue
        path = rule.replace("<key>", UNKNOWN)
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} - methods:
            answer = fuzz_target.ask(Request(method, path, "", (), b""))
            enveloped(Shape(method, rule), answer)
            # The last word of some routes could be an id as well.
            parent, _, last = rule.rpartition("/")
            ids = {f"{parent}/<key>", f"{parent.removeprefix('/vk')}/<key>"}
            others = {m for m, its in known if its in ids and last != "<key>"}
            if method in others:
                assert answer.status == 400
                continue
            assert (method, path, answer.status) == (method, path, 405)
            allowed = set(answer.headers["Allow"].split(", "))
            assert methods <= allowed
    for path in (
        "/api",
        "/api/",
        "/API/tasks",
        "//api/nothing",
        "/api//tasks",
        "/api/tasks/../projects",
        "/api/%2e%2e/health",
        "/api/tasks;x",
        "/api/health%00",
        "/%61pi/nothing",
        "/api/" + "x/" * 900,
    ):
        answer = fuzz_target.ask(Request("GET", path, "", (), b""))
        enveloped(Shape("GET", path), answer)
        assert (path, answer.status) == (path, 404)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/octet-stream", 415),
        ("\x80", 415),
    ],
)
def test_only_json_is_read_as_json(fuzz_target: FuzzTarget, kind: str, status: int) -> None:
    body = json.dumps({"title": "Renamed"}).encode()
    answer = fuzz_target.ask(
        Request("PUT", "/api/tasks/$task", "", (("Content-Type", kind),), body)
    )
    enveloped(Shape("PUT", "/api/tasks/<key>"), answer)
    assert answer.status == status


def test_a_body_that_is_too_large_is_413(fuzz_target: FuzzTarget) -> None:
    body = json.dumps({"title": "x" * 5_000_000}).encode()
    answer = fuzz_target.ask(Request("PUT", "/api/tasks/$task", "", (), body))
    assert enveloped(Shape("PUT", ""), answer)["message"].startswith("body: ")
    assert answer.status == 413
