"""Profiles differ from the built-in ones only where a person wanted it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyond.agents.common.core import Turn
from anyond.agents.roster import DEFAULT_PROFILES, agent, fits
from anyond.model.configuration.settings import Executor, ExecutorProfileId, Variant
from anyond.model.refusals.requests import Impossible, Invalid
from anyond.settings.names import executor_named, variant_name
from anyond.settings.profiles import Profiles

DEFAULTS: dict[Executor, dict[str, Variant]] = {
    Executor.DEMO: {"DEFAULT": {}},
    Executor.CLAUDE_CODE: {
        "PLAN": {"plan": True},
        "DEFAULT": {"dangerously_skip_permissions": True},
    },
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profiles.json"


def body(**executors: object) -> bytes:
    return json.dumps({"executors": executors}).encode()


def claude(**options: object) -> dict[str, Any]:
    return {"CLAUDE_CODE": options}


def stored(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())["executors"]
    return found


def test_without_a_file_the_built_in_ones_are_there_in_the_shape_of_the_api(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    assert json.loads(profiles.content()) == {
        "executors": {
            "CLAUDE_CODE": {
                "DEFAULT": claude(dangerously_skip_permissions=True),
                "PLAN": claude(plan=True),
            },
            "DEMO": {"DEFAULT": {"DEMO": {}}},
        }
    }
    assert list(profiles.executors()) == ["CLAUDE_CODE", "DEMO"]
    assert list(profiles.executors()["CLAUDE_CODE"]) == ["DEFAULT", "PLAN"]


def test_the_body_of_the_reference_replaces_one_variant_and_no_other(path: Path) -> None:
    options = {"append_prompt": None, "model": "claude-sonnet-4-5", "approvals": True}
    merged = Profiles(path, DEFAULTS).update(body(CLAUDE_CODE={"default": claude(**options)}))
    assert merged["executors"]["CLAUDE_CODE"] == {
        "DEFAULT": claude(**options),
        "PLAN": claude(plan=True),
    }
    assert stored(path) == {"CLAUDE_CODE": {"DEFAULT": claude(**options)}}
    assert Profiles(path, DEFAULTS).merged() == merged


def test_the_whole_set_sent_back_stores_nothing(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    profiles.update(profiles.content().encode())
    profiles.update(json.dumps(profiles.content()).encode())
    assert stored(path) == {}


def test_a_difference_only_in_nulls_is_none(path: Path) -> None:
    same = claude(plan=True, append_prompt=None)
    Profiles(path, DEFAULTS).update(body(CLAUDE_CODE={"PLAN": same}))
    assert stored(path) == {}


def test_null_brings_back_a_built_in_variant_and_deletes_an_own_one(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    profiles.update(body(CLAUDE_CODE={"PLAN": claude(model="x"), "fast lane": claude(model="y")}))
    assert profiles.executors()["CLAUDE_CODE"]["FAST_LANE"] == claude(model="y")
    profiles.update(body(CLAUDE_CODE={"Plan": None, "fast-lane": None, "never": None}))
    assert Profiles(path, DEFAULTS).executors()["CLAUDE_CODE"] == {
        "DEFAULT": claude(dangerously_skip_permissions=True),
        "PLAN": claude(plan=True),
    }


def test_an_agent_without_built_in_variants_can_be_given_some(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    profiles.update(body(acp={"default": {"ACP": {"base_command_override": "my-agent --acp"}}}))
    acp = ExecutorProfileId(executor=Executor.ACP)
    assert profiles.variant(acp) == {"base_command_override": "my-agent --acp"}


def test_unknown_options_are_kept(path: Path) -> None:
    Profiles(path, DEFAULTS).update(body(CLAUDE_CODE={"PLAN": claude(plan=True, future=[1])}))
    profile = ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="PLAN")
    assert Profiles(path, DEFAULTS).variant(profile) == {"plan": True, "future": [1]}


def test_a_variable_of_the_environment_can_be_set_and_removed(path: Path) -> None:
    env = {"ANTHROPIC_API_KEY": None, "LANG": "C"}
    Profiles(path, DEFAULTS).update(body(CLAUDE_CODE={"PLAN": claude(env=env)}))
    profile = ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="PLAN")
    assert Profiles(path, DEFAULTS).variant(profile) == {"env": env}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"\xff", "body"),
        (b"{}", "executors"),
        (b'{"executors": null}', "executors"),
        (body(NOBODY={}), "executors.NOBODY"),
        (body(CLAUDE_CODE=None), "executors.CLAUDE_CODE"),
        (body(CLAUDE_CODE=[]), "executors.CLAUDE_CODE"),
        (body(CLAUDE_CODE={"?": claude()}), "executors.CLAUDE_CODE.?"),
        (body(CLAUDE_CODE={"__proto__": claude()}), "executors.CLAUDE_CODE.__proto__"),
        (body(CLAUDE_CODE={"PLAN": {}}), "executors.CLAUDE_CODE.PLAN"),
        (body(CLAUDE_CODE={"PLAN": {"AMP": {}}}), "executors.CLAUDE_CODE.PLAN"),
        (body(CLAUDE_CODE={"PLAN": {**claude(), "AMP": {}}}), "executors.CLAUDE_CODE.PLAN"),
        (body(CLAUDE_CODE={"PLAN": {"CLAUDE_CODE": 1}}), "executors.CLAUDE_CODE.PLAN"),
        (body(CLAUDE_CODE={"PLAN": claude(model=1)}), "executors.CLAUDE_CODE.PLAN.model"),
        (body(CLAUDE_CODE={"PLAN": claude(plan="yes")}), "executors.CLAUDE_CODE.PLAN.plan"),
        (
            body(CLAUDE_CODE={"PLAN": claude(additional_params="-x")}),
            "executors.CLAUDE_CODE.PLAN.additional_params",
        ),
        (body(CLAUDE_CODE={"PLAN": claude(env={"A": 1})}), "executors.CLAUDE_CODE.PLAN.env"),
        (body(CLAUDE_CODE={"PLAN": claude(env={"A=B": ""})}), "executors.CLAUDE_CODE.PLAN.env"),
        (
            body(CLAUDE_CODE={"PLAN": claude(base_command_override="x 'y")}),
            "executors.CLAUDE_CODE.PLAN.base_command_override",
        ),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(path: Path, sent: bytes, field: str) -> None:
    profiles = Profiles(path, DEFAULTS)
    before = profiles.merged()
    with pytest.raises(Invalid) as refusal:
        profiles.update(sent)
    assert refusal.value.field == field
    assert profiles.merged() == before
    assert not path.exists()


@pytest.mark.parametrize(
    ("executor", "options", "at"),
    [
        ("CODEX", {"sandbox": "nope"}, "sandbox"),
        ("CODEX", {"ask_for_approval": "sometimes"}, "ask_for_approval"),
        ("DROID", {"autonomy": 5}, "autonomy"),
        ("CLAUDE_CODE", {"fork_session": "no"}, "fork_session"),
    ],
)
def test_what_an_agent_can_make_nothing_of_is_not_stored(
    path: Path, executor: str, options: dict[str, Any], at: str
) -> None:
    """It would only be found out when the agent is to start, by somebody else perhaps."""
    profiles = Profiles(path, DEFAULT_PROFILES, fits)
    with pytest.raises(Invalid) as refusal:
        profiles.update(body(**{executor: {"MINE": {executor: options}}}))
    assert refusal.value.field == f"executors.{executor}.MINE.{at}"
    assert not path.exists()


def test_all_that_is_built_in_can_be_sent_back(path: Path) -> None:
    profiles = Profiles(path, DEFAULT_PROFILES, fits)
    assert profiles.update(profiles.content().encode()) == profiles.merged()
    assert stored(path) == {}


def test_one_bad_variant_spoils_the_whole_request(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    with pytest.raises(Invalid):
        profiles.update(body(CLAUDE_CODE={"OK": claude(), "BAD": claude(model=1)}))
    assert "OK" not in profiles.executors()["CLAUDE_CODE"]


def test_of_two_spellings_the_canonical_one_wins(path: Path) -> None:
    both = {"PLAN": claude(model="canonical"), "plan": claude(model="other")}
    merged = Profiles(path, DEFAULTS).update(body(CLAUDE_CODE=both))
    assert merged["executors"]["CLAUDE_CODE"]["PLAN"] == claude(model="canonical")


def test_an_unknown_variant_is_refused_with_those_that_there_are(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    with pytest.raises(
        Impossible, match=r"no variant FAST of CLAUDE_CODE; there are DEFAULT, PLAN"
    ):
        profiles.variant(ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="FAST"))
    with pytest.raises(Impossible, match="no variant DEFAULT of AMP; it has none yet"):
        profiles.variant(ExecutorProfileId(executor=Executor.AMP))


def test_the_answer_can_be_changed_without_changing_the_profile(path: Path) -> None:
    profiles = Profiles(path, DEFAULTS)
    profile = ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="plan")
    profiles.variant(profile)["model"] = "mine"
    assert profiles.variant(profile) == {"plan": True}


def test_what_the_file_holds_of_a_later_version_is_left_out_but_kept(path: Path) -> None:
    later = {
        "AGENT_X": {"DEFAULT": {"AGENT_X": {}}},
        "CLAUDE_CODE": {"ODD": {"CLAUDE_CODE": {"model": 5}}, "MINE": claude(model="m")},
    }
    path.write_text(json.dumps({"executors": later}))
    profiles = Profiles(path, DEFAULTS)
    assert "ODD" not in profiles.executors()["CLAUDE_CODE"]
    assert profiles.executors()["CLAUDE_CODE"]["MINE"] == claude(model="m")
    assert any("AGENT_X" in warning for warning in profiles.warnings)
    profiles.update(body(CLAUDE_CODE={"OTHER": claude()}))
    assert stored(path) == {
        "AGENT_X": later["AGENT_X"],
        "CLAUDE_CODE": {**later["CLAUDE_CODE"], "OTHER": claude()},
    }


def test_a_built_in_variant_never_stands_in_for_one_that_cannot_be_read(path: Path) -> None:
    """Whoever wanted to be asked, and misspelled it, must not get an agent that asks nobody."""
    bad = {"CLAUDE_CODE": {"default": claude(approvals="true")}}
    path.write_text(json.dumps({"executors": bad}))
    profiles = Profiles(path, DEFAULTS)
    profile = ExecutorProfileId(executor=Executor.CLAUDE_CODE)
    with pytest.raises(Impossible, match=r"profiles\.json, executors\.CLAUDE_CODE\.DEFAULT\.appr"):
        profiles.variant(profile)
    plan = ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="PLAN")
    assert profiles.variant(plan) == {"plan": True}
    profiles.update(body(CLAUDE_CODE={"DEFAULT": claude(approvals=True)}))
    for again in (profiles, Profiles(path, DEFAULTS)):
        assert again.variant(profile) == {"approvals": True}


def test_a_variant_may_take_a_variable_away(path: Path) -> None:
    Profiles(path, DEFAULT_PROFILES, fits).update(
        body(CLAUDE_CODE={"MINE": claude(env={"ANTHROPIC_API_KEY": None, "A": "b"})})
    )
    mine = ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="MINE")
    options = Profiles(path, DEFAULT_PROFILES).variant(mine)
    launch = agent(Executor.CLAUDE_CODE).launch(Turn(prompt="", cwd="/", options=options))
    assert (launch.env["ANTHROPIC_API_KEY"], launch.env["A"]) == (None, "b")


def test_a_damaged_file_is_set_aside(path: Path) -> None:
    path.write_text("{{{")
    profiles = Profiles(path, DEFAULTS)
    assert profiles.merged()["executors"].keys() == {"CLAUDE_CODE", "DEMO"}
    assert [file.read_text() for file in path.parent.glob("*.damaged-*")] == ["{{{"]


@pytest.mark.parametrize(
    ("output", "meant"),
    [
        ("default", "DEFAULT"),
        ("Default", "DEFAULT"),
        ("gpt-5", "GPT_5"),
        ("myFastPlan", "MY_FAST_PLAN"),
        ("HTTPPlan", "HTTP_PLAN"),
        ("GPT_4O", "GPT_4O"),
        ("  a  b ", "A_B"),
        ("__x", None),
        ("-", None),
        ("", None),
        ("x" * 65, None),
        ("\u1fd6", "\u0399"),  # its capital has a mark that is no letter
    ],
)
def test_variants_have_one_spelling(output: str, meant: str | None) -> None:
    assert variant_name(output) == meant


@given(st.text(max_size=80))
def test_a_canonical_name_is_its_own_canonical_name(text: str) -> None:
    name = variant_name(text)
    assert name is None or variant_name(name) == name


@pytest.mark.parametrize(
    ("output", "meant"),
    [
        ("claude-code", Executor.CLAUDE_CODE),
        ("cursor", Executor.CURSOR_AGENT),
        ("Cursor_Agent", Executor.CURSOR_AGENT),
        ("__class__", None),
        ("", None),
    ],
)
def test_agents_may_be_spelled_in_other_ways(output: str, meant: Executor | None) -> None:
    assert executor_named(output) is meant
