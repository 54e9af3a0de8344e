"""A refusal is one class: its name, its fields and its sentence are declared once, and hold."""

from __future__ import annotations

import json
import types
from typing import Any

import jsonschema_rs
import pytest

from anyond.api.examples.refusals import REFUSALS
from anyond.http.answer.envelope import failure
from anyond.http.answer.refusal import refusal
from anyond.http.openapi.document import document
from anyond.http.openapi.refusals import declared, error_data, text, visible_to_clients
from anyond.http.openapi.schemas import Schemas
from anyond.model.errors import TYPES, AnyondError, Conflict, Forbidden, Unavailable
from anyond.model.refusals import every
from anyond.model.refusals.git import FilterFailed, FilterMissing, GitFailed, HookRefused
from anyond.model.refusals.requests import Impossible, Invalid, Malformed, NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.refusals.worktrees import NameTaken, OperationInProgress, operation_in_progress
from tests.support.paths import ROOT

PACKAGE = ROOT / "anyond"
COMPONENTS = document()["components"]


@pytest.mark.parametrize("kind", [AnyondError, Conflict, Forbidden, OperationInProgress])
def test_what_is_only_a_kind_is_never_raised(kind: type[AnyondError]) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__} is a kind of refusals"):
        kind("No.")


def new(name: str, module: str, **declared: str) -> type[AnyondError]:
    def fill(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = module

    return types.new_class(name, (Conflict,), declared, fill)


def test_two_refusals_of_one_type_cannot_be_loaded() -> None:
    with pytest.raises(TypeError, match="Second and Busy are both busy"):
        new("Second", "anyond.model.refusals.runs", type="busy")
    assert TYPES["busy"] is Busy


def test_a_refusal_with_a_type_is_declared_where_all_are_loaded_together() -> None:
    with pytest.raises(TypeError, match="Elsewhere has a type, and so belongs into"):
        new("Elsewhere", "anyond.git.merge", type="elsewhere")
    assert "elsewhere" not in TYPES


def test_fields_belong_to_a_type() -> None:
    with pytest.raises(TypeError, match="Busier has fields"):

        class Busier(Busy):
            """Busy, and says more."""

            more: str


def test_there_is_an_example_of_each_type() -> None:
    found = [example.type for example in REFUSALS]
    assert sorted(map(str, found)) == sorted(every())


@pytest.mark.parametrize("example", REFUSALS, ids=lambda example: str(example.type))
def test_each_is_what_its_schema_says(example: AnyondError) -> None:
    kind = declared(type(example))
    struct = error_data(kind)
    schema = Schemas([], [struct]).components[struct.__name__]
    answer = json.loads(failure(str(example), example.data))
    whole = {**schema, "components": COMPONENTS, "additionalProperties": False}
    jsonschema_rs.Draft202012Validator(whole).validate(answer["error_data"])
    assert answer["message"] == str(example)
    assert answer["error_data"].get("message", str(example)) == str(example)
    if example.type in visible_to_clients():
        known = COMPONENTS["schemas"].get(struct.__name__)
        assert known in (schema, None)
    assert text(kind).endswith(".")


def test_each_module_of_refusals_is_loaded_with_them() -> None:
    modules = {kind.__module__.rpartition(".")[2] for kind in every().values()}
    files = (PACKAGE / "model" / "refusals").glob("*.py")
    assert modules == {file.stem for file in files} - {"__init__"}


def caught(error: AnyondError, *kinds: type[AnyondError]) -> bool:
    return all(isinstance(error, kind) for kind in kinds)


def test_a_refusal_is_caught_by_what_it_is_a_case_of() -> None:
    assert caught(Busy("Busy."), Busy, Conflict, AnyondError)
    assert caught(Malformed("body", "is empty"), Malformed, Invalid)
    assert caught(HookRefused(None, "the commit", ""), HookRefused, GitFailed)
    assert not caught(HookRefused(None, "the commit", ""), Conflict)
    assert caught(operation_in_progress("merge", "here"), OperationInProgress, Conflict)
    assert not caught(NotFound("task", 1), Impossible)


DATA: tuple[tuple[AnyondError, dict[str, Any] | None], ...] = (
    (Unavailable("Not now."), None),
    (Malformed("body", "is empty"), {"type": "invalid", "field": "body"}),
    (NameTaken("Taken."), {"type": "name_taken", "message": "Taken."}),
    (NameTaken("Taken.", "1"), {"type": "name_taken", "message": "Taken.", "tag_id": "1"}),
    (GitFailed(("gc",), 1, "no"), {"type": "tool_failed", "tool": "git"}),
    (
        FilterFailed("", "no"),
        {"type": "filter_failed", "message": "A filter of the repository failed: no"},
    ),
)


@pytest.mark.parametrize(("error", "data"), DATA, ids=lambda value: type(value).__name__)
def test_what_is_unset_is_left_out(error: AnyondError, data: dict[str, Any] | None) -> None:
    assert error.data == data


def test_a_refusal_can_be_told_in_other_words_and_say_more() -> None:
    error = FilterMissing("lfs", "git-lfs")
    error.reword("Install it.")
    error.add(task_attempt_id="7")
    assert error.data == {
        "type": "filter_failed",
        "message": "Install it.",
        "filter": "lfs",
        "program": "git-lfs",
        "task_attempt_id": "7",
    }
    assert (refusal(error, "POST", "/").status, str(error)) == (409, "Install it.")
    bare = Unavailable("Not now.")
    bare.add(task_attempt_id="7")
    assert bare.data == {"task_attempt_id": "7"}
