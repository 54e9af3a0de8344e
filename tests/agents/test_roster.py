"""Which agents there are."""

from __future__ import annotations

from typing import cast

import pytest

from anyond.agents.common.core import Turn
from anyond.agents.roster import AGENTS, CAPABILITIES, DEFAULT_PROFILES, agent
from anyond.model.configuration.settings import Executor
from anyond.model.refusals.requests import Impossible


def test_every_name_of_the_api_has_an_agent_with_a_default_variant() -> None:
    assert set(AGENTS) == set(Executor)
    assert all("DEFAULT" in variants for variants in DEFAULT_PROFILES.values())


def test_every_built_in_variant_can_be_started_but_acp_wants_a_command() -> None:
    for executor, variants in DEFAULT_PROFILES.items():
        for options in variants.values():
            turn = Turn(prompt="p", cwd="/home/me/tree", options=options)
            if executor is Executor.ACP:
                with pytest.raises(Impossible, match="base_command_override"):
                    agent(executor).launch(turn)
            else:
                assert agent(executor).launch(turn).argv


def test_whoever_can_begin_with_a_plan_has_a_built_in_variant_for_it() -> None:
    able = []
    for executor, variants in DEFAULT_PROFILES.items():
        try:
            agent(executor).launch(Turn(prompt="p", cwd="/w", options={"plan": "nonsense"}))
        except Impossible as refusal:
            # The demonstration, and whatever a person names themselves, have no mode of that name.
            if refusal.field == "plan" and executor not in (Executor.DEMO, Executor.ACP):
                able.append(executor)
                assert "PLAN" in variants, executor
                assert variants["PLAN"]["plan"] is True
    assert {Executor.CLAUDE_CODE, Executor.CODEX, Executor.CURSOR_AGENT} <= set(able)


def test_clients_learn_what_each_can_do() -> None:
    reported = {name: set(able) for name, able in CAPABILITIES.items()}
    assert all("SESSION_FORK" in able for able in reported.values())
    assert [name for name in reported if "STEER" in reported[name]] == ["CLAUDE_CODE", "CODEX"]
    assert [name for name in reported if "SETUP_HELPER" in reported[name]] == ["CURSOR_AGENT"]


def test_a_name_without_an_adapter_is_refused_by_its_field() -> None:
    with pytest.raises(Impossible) as refusal:
        agent(cast(Executor, "NOBODY"))
    assert refusal.value.field == "executor_profile_id.executor"
