"""How Claude Code is started."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.claude.agent import Claude
from anyond.agents.common.core import Turn
from anyond.model.launch import Launch
from anyond.model.refusals.requests import Impossible


def launch(session_id: str | None = None, **options: Any) -> Launch:
    return Claude().launch(
        Turn(prompt="p", cwd="/home/me/tree", session_id=session_id, options=options)
    )


def test_it_starts_the_program_with_the_control_protocol() -> None:
    plain = launch()
    assert plain.argv == (
        *("claude", "-p", "--output-format", "stream-json", "--input-format", "stream-json"),
        *("--verbose", "--include-partial-messages", "--permission-prompt-tool", "stdio"),
        *("--replay-user-messages", "--permission-mode", "default"),
    )
    assert plain.cwd == "/home/me/tree"
    assert "npm install -g @anthropic-ai/claude-code" in plain.install
    assert "p" not in plain.argv


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({"plan": True, "approvals": True}, "plan"),
        ({"approvals": True}, "default"),
        ({"dangerously_skip_permissions": True}, "default"),
    ],
)
def test_no_variant_needs_a_mode_that_root_may_not_have(options: Any, mode: str) -> None:
    argv = launch(**options).argv
    assert argv[argv.index("--permission-mode") + 1] == mode


def test_options_shape_the_command() -> None:
    reported = launch(
        session_id="s-1",
        base_command_override="'/opt/my tools/claude' --debug",
        additional_params=["--mcp-config", "a b.json"],
        model="opus",
        env={"HOME": "/tmp/h", "OLD": None},
        disable_api_key=True,
        nonsense=7,
    )
    assert reported.argv[:3] == ("/opt/my tools/claude", "--debug", "-p")
    assert reported.argv[-7:-1] == (
        "--model",
        "opus",
        "--mcp-config",
        "a b.json",
        "--resume",
        "s-1",
    )
    assert reported.env == {
        "ANTHROPIC_API_KEY": None,
        "CLAUDECODE": None,
        "CLAUDE_CODE_ENTRYPOINT": None,
        "HOME": "/tmp/h",
        "OLD": None,
    }


def test_an_option_that_stands_with_its_value_is_split_from_it_and_nothing_else_is() -> None:
    params = ["--effort high", "--append-system-prompt 'Be kind.'", "--settings", '{"a": "-b c"}']
    reported = launch(additional_params=[*params, "--name=a b", "- a list", "x y"])
    assert reported.argv[-9:] == (
        *("--effort", "high", "--append-system-prompt", "Be kind.", "--settings", '{"a": "-b c"}'),
        *("--name=a b", "- a list", "x y"),
    )


def test_a_session_is_forked_unless_told_otherwise_and_the_router_can_stand_in() -> None:
    reported = launch(session_id="s-1", claude_code_router=True)
    assert reported.argv[:2] == ("ccr", "code")
    assert reported.argv[-3:] == ("--resume", "s-1", "--fork-session")
    assert launch(session_id="s-1", fork_session=False).argv[-2:] == ("--resume", "s-1")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("plan", "yes"),
        ("model", 4),
        ("additional_params", "--x"),
        ("additional_params", ["a\0b"]),
        ("additional_params", ["--settings 'open"]),
        ("env", {"A": 1}),
        ("env", {"A=B": "1"}),
        ("base_command_override", "'open"),
    ],
)
def test_a_wrong_option_is_named(option: str, value: Any) -> None:
    with pytest.raises(Impossible) as refusal:
        launch(**{option: value})
    assert refusal.value.field == option


def test_a_session_id_cannot_be_an_option() -> None:
    with pytest.raises(Impossible):
        launch(session_id="--dangerously-skip-permissions")
