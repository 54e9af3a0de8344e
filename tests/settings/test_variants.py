"""An option of a variant is checked by what its agent declares, and nothing is declared twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anyond.agents import roster
from anyond.model.configuration.settings import Executor
from anyond.model.refusals.requests import Invalid
from anyond.settings.profiles import Profiles

DECLARED = [
    (executor, field.encode_name)
    for executor in roster.AGENTS
    for field in msgspec.structs.fields(roster.options(executor))
]


def variants(executor: Executor, name: str, value: Any) -> dict[str, Any]:
    return {"executors": {executor.value: {"QUICK": {executor.value: {name: value}}}}}


@pytest.mark.parametrize(("executor", "name"), DECLARED)
def test_each_option_of_each_agent_is_refused_by_its_name_if_it_is_of_another_type(
    tmp_path: Path, executor: Executor, name: str
) -> None:
    profiles = Profiles(tmp_path / "profiles.json", {})
    with pytest.raises(Invalid, match="must be") as refusal:
        profiles.update(json.dumps(variants(executor, name, {"odd": 1})).encode())
    assert refusal.value.field == f"executors.{executor.value}.QUICK.{name}"
    profiles.update(json.dumps(variants(executor, name, None)).encode())


@pytest.mark.parametrize(("executor", "name"), [("DROID", "autonomy"), ("AMP", "yolo")])
def test_a_file_that_says_something_else_costs_only_that_variant(
    tmp_path: Path, executor: str, name: str
) -> None:
    """The second one is declared by another agent, from which such a variant may be copied."""
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps(variants(Executor(executor), name, 5)))
    profiles = Profiles(path, {})
    assert f"executors.{executor}.QUICK.{name}: must be" in profiles.warnings[0]
    assert profiles.executors() == {}


def test_what_no_agent_declares_is_kept(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "profiles.json", {})
    body = variants(Executor.AMP, "future", {"odd": 1})
    profiles.update(json.dumps(body).encode())
    assert Profiles(tmp_path / "profiles.json", {}).merged() == body
