"""Requests of every shape that clients might send: each is answered, and as it is described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hostile import malformed
from tests.support.hostile.fuzz_target import FuzzTarget, open_fuzz_target
from tests.support.hostile.malformed import Shape
from tests.support.hostile.shapes import (
    SHAPES,
    enveloped,
    judged,
    routes,
)


@pytest.fixture(scope="module")
def fuzz_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzTarget]:
    with open_fuzz_target(tmp_path_factory.mktemp("fuzz") / "daemon") as made:
        yield made


def test_every_route_of_the_application_is_tried() -> None:
    known = [(shape.method, shape.rule) for shape in SHAPES]
    assert len(known) == len(set(known))
    assert set(known) == routes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_request_breaks_anything(
    fuzz_target: FuzzTarget, shape: Shape, data: st.DataObject
) -> None:
    judged(shape, fuzz_target.ask(data.draw(malformed.requests(shape))))


def called(path: malformed.Path) -> str:
    """How a refusal names a place in a body: as it is spelled, except for lists of settings."""
    if path[0] == "executors":
        path = (*path[:3], *path[4:5])  # the options of a variant are named as its own
        return malformed.spelled(path)
    if path[0] == "showcases":
        path = path[:2]
    return malformed.spelled(path)


def wrong(value: Any) -> Any:
    """Something of another type than `value`, for which no field could take it."""
    return {"odd": []} if isinstance(value, str | bool | int | float) else 7


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.body is not None], ids=str)
def test_a_wrong_type_is_refused_by_the_name_of_its_field_wherever_it_is(
    fuzz_target: FuzzTarget, shape: Shape
) -> None:
    for path, value in malformed.paths(shape.body):
        name = called(path)
        answer = fuzz_target.send(shape, malformed.replaced(shape.body, path, wrong(value)))
        judged(shape, answer)
        body = enveloped(shape, answer)
        assert (name, answer.status) == (name, 400), body
        assert body["error_data"]["field"] == name


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.body is not None], ids=str)
def test_a_lone_surrogate_or_a_nul_in_any_text_is_refused_by_the_name_of_its_field(
    fuzz_target: FuzzTarget, shape: Shape
) -> None:
    for path, value in malformed.paths(shape.body):
        if isinstance(value, str):
            for odd in ("a\ud800", "a\0b"):
                answer = fuzz_target.send(shape, malformed.replaced(shape.body, path, odd))
                body = enveloped(shape, answer)
                assert (path, odd, answer.status) == (path, odd, 400), body
                named = {called(path), malformed.spelled(path)}
                if shape.rule == "/api/profiles":
                    named.add("body")  # it is decoded without a type, and so without a place
                assert body["error_data"]["field"] in named, body
