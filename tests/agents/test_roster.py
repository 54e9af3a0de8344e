"""Which agents there are."""

from __future__ import annotations

from typing import cast

import pytest

from anyond.agents.core import Turn
from anyond.agents.roster import (
    AGENTS,
    CAPABILITIES,
    DEFAULT_PROFILES,
    STEERABLE,
    agent,
    capabilities,
)
from anyond.model.errors import Impossible
from anyond.model.settings import Executor


def test_every_agent_has_capabilities_and_a_default_variant() -> None:
    assert set(AGENTS) == set(CAPABILITIES) == set(DEFAULT_PROFILES)
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


def test_clients_learn_who_takes_messages_while_at_work() -> None:
    able = {name for name, found in capabilities().items() if "STEER" in found}
    assert able == STEERABLE & set(AGENTS)
    assert Executor.CLAUDE_CODE in able


def test_a_name_without_an_adapter_is_refused_by_its_field() -> None:
    with pytest.raises(Impossible) as refusal:
        agent(cast(Executor, "NOBODY"))
    assert refusal.value.field == "executor_profile_id.executor"
