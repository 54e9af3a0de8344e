"""How Codex is started, and what its options become."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.codex.agent import Codex
from anyond.agents.codex.options import Options
from anyond.agents.common import variant
from anyond.agents.common.core import (
    Turn,
)
from anyond.model.refusals.requests import Impossible

FREE = {"sandbox": "danger-full-access"}


def launch(**options: Any) -> Any:
    return Codex().launch(Turn(prompt="p", cwd="/w", options=options))


def test_it_is_the_app_server_of_the_program_in_the_path() -> None:
    assert launch().argv == ("codex", "app-server")
    assert "npm install -g @openai/codex" in launch().install
    assert launch(additional_params=["-c", "a b=1"]).argv[2:] == ("-c", "a b=1")


@pytest.mark.parametrize("override", ["npx -y 'my codex'", "npx -y 'my codex' app-server"])
def test_another_command_may_leave_out_the_app_server(override: str) -> None:
    started = launch(base_command_override=override)
    assert started.argv == ("npx", "-y", "my codex", "app-server")
    assert "base_command_override" in started.install


def test_the_environment_hides_an_outer_session_and_obeys_the_variant() -> None:
    env = launch(env={"RUST_LOG": "debug", "KEY": "k"}).env
    assert env["CODEX_THREAD_ID"] is None
    assert (env["RUST_LOG"], env["NO_COLOR"], env["KEY"]) == ("debug", "1", "k")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sandbox": "none"}, "sandbox"),
        ({"ask_for_approval": True}, "ask_for_approval"),
        ({"env": {"A=B": "c"}}, "env"),
        ({"additional_params": ["a\0b"]}, "additional_params"),
        ({"base_command_override": "codex 'x"}, "base_command_override"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(Impossible) as refusal:
        launch(**options)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("options", "sandbox", "policy", "asks"),
    [
        ({}, "workspace-write", "on-request", True),
        ({"sandbox": "auto"}, "workspace-write", "on-request", True),
        ({"sandbox": "read-only"}, "read-only", None, True),
        (FREE, "danger-full-access", "never", False),
        ({**FREE, "ask_for_approval": "never"}, "danger-full-access", "never", True),
        ({"ask_for_approval": "unless-trusted"}, "workspace-write", "untrusted", True),
        ({"ask_for_approval": "on-failure"}, "workspace-write", "on-request", True),
    ],
)
def test_who_is_asked_follows_from_sandbox_and_policy(
    options: dict[str, Any], sandbox: str, policy: str | None, asks: bool
) -> None:
    decoded = variant.decode(options, Options)
    thread = decoded.thread("/w")
    assert (thread["sandbox"], thread.get("approvalPolicy")) == (sandbox, policy)
    assert decoded.asks is asks


def test_every_other_option_reaches_the_thread() -> None:
    options = {
        "oss": True,
        "model_reasoning_effort": "high",
        "model_reasoning_summary": "concise",
        "model_reasoning_summary_format": "experimental",
        "profile": "work",
        "base_instructions": "Be kind.",
        "include_plan_tool": False,
        "include_apply_patch_tool": True,
        "unknown": object(),
    }
    thread = variant.decode(options, Options).thread("/w")
    assert (thread["cwd"], thread["baseInstructions"]) == ("/w", "Be kind.")
    assert (thread["modelProvider"], thread["model"]) == ("ollama", "gpt-oss:20b")
    assert thread["config"] == {
        "model_reasoning_effort": "high",
        "model_reasoning_summary": "concise",
        "model_reasoning_summary_format": "experimental",
        "profile": "work",
        "tools.update_plan.enabled": False,
        "include_apply_patch_tool": True,
    }
    assert variant.decode({"oss": True, "model": "m"}, Options).thread("/w")["model"] == "m"
