"""What the variants of each agent come to: its command, its modes, what it asks."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.common.core import (
    ApprovalAsked,
    Decide,
    Decision,
    Interrupt,
    Outcome,
    Turn,
    TurnEnded,
)
from anyond.agents.roster import DEFAULT_PROFILES, agent
from anyond.model.configuration.settings import Executor
from anyond.model.entries import (
    Denied,
    PlanPresentation,
)
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries, reported
from tests.support.dialogues.acp_roster import talk_of
from tests.support.dialogues.acp_talk import ONCE, REJECT, Talk
from tests.support.dialogues.shown import tool_of


def launch(executor: Executor, **options: Any) -> tuple[str, ...]:
    return agent(executor).launch(Turn(prompt="p", cwd="/w", options=options)).argv


@pytest.mark.parametrize(
    ("executor", "options", "expected"),
    [
        (Executor.GEMINI, {"model": "default", "yolo": True}, "gemini --acp"),
        (Executor.GEMINI, {"model": "flash"}, "gemini --acp --model flash"),
        (Executor.QWEN_CODE, {"yolo": True}, "qwen --acp"),
        (Executor.QWEN_CODE, {"model": "m"}, "qwen --acp --model m"),
        (Executor.OPENCODE, {"model": "p/m"}, "opencode acp"),
        (
            Executor.COPILOT,
            {"allow_all_tools": True, "model": "gpt-5"},
            "copilot --acp --no-auto-update --allow-all-tools --model=gpt-5",
        ),
        (
            Executor.COPILOT,
            {
                "allow_tool": "shell(git:*)",
                "deny_tool": "write",
                "add_dir": ["/a", "/b"],
                "disable_mcp_server": ["s"],
            },
            "copilot --acp --no-auto-update --allow-tool=shell(git:*) --deny-tool=write "
            "--add-dir=/a --add-dir=/b --disable-mcp-server=s",
        ),
        (
            Executor.COPILOT,
            {"allow_all_tools": True, "approvals": True},
            "copilot --acp --no-auto-update",
        ),
        (
            Executor.DROID,
            {"model": "m", "reasoning_effort": "low"},
            "droid exec --output-format acp --model m --reasoning-effort low",
        ),
        (
            Executor.DROID,
            {"base_command_override": "npx -y droid", "additional_params": ["--x"]},
            "npx -y droid exec --output-format acp --x",
        ),
        (Executor.GEMINI, {"base_command_override": "g --acp"}, "g --acp"),
    ],
)
def test_options_become_a_command(
    executor: Executor, options: dict[str, Any], expected: str
) -> None:
    assert " ".join(launch(executor, **options)) == expected


def test_an_option_of_the_wrong_kind_is_named() -> None:
    for executor, options in (
        (Executor.GEMINI, {"yolo": "yes"}),
        (Executor.COPILOT, {"add_dir": "/a"}),
        (Executor.DROID, {"autonomy": "total"}),
    ):
        with pytest.raises(Impossible) as caught:
            launch(executor, **options)
        assert caught.value.field in options


def test_opencode_is_made_to_ask_only_if_somebody_wants_to_be_asked() -> None:
    for approvals, expected in ((True, True), (False, False)):
        turn = Turn(prompt="p", cwd="/w", options={"approvals": approvals})
        assert ("OPENCODE_PERMISSION" in agent(Executor.OPENCODE).launch(turn).env) is expected


def test_gemini_tells_what_commands_print_unless_the_variant_wants_a_terminal_for_them() -> None:
    for env, expected in (({}, "child_process"), ({"GEMINI_PTY_INFO": None}, None)):
        turn = Turn(prompt="p", cwd="/w", options={"env": env})
        assert agent(Executor.GEMINI).launch(turn).env["GEMINI_PTY_INFO"] == expected


@pytest.mark.parametrize(
    ("executor", "variant", "mode"),
    [
        (Executor.GEMINI, "DEFAULT", "yolo"),
        (Executor.GEMINI, "PLAN", "plan"),
        (Executor.GEMINI, "APPROVALS", "default"),
        (Executor.QWEN_CODE, "DEFAULT", "yolo"),
        (Executor.QWEN_CODE, "PLAN", "plan"),
        (Executor.COPILOT, "DEFAULT", None),
        (Executor.COPILOT, "PLAN", "x#plan"),
        (Executor.COPILOT, "APPROVALS", "x#agent"),
        (Executor.DROID, "DEFAULT", "auto-high"),
        (Executor.DROID, "PLAN", "spec"),
        (Executor.DROID, "APPROVALS", "normal"),
    ],
)
def test_each_variant_has_its_mode(executor: Executor, variant: str, mode: str | None) -> None:
    talk = talk_of(executor, **DEFAULT_PROFILES[executor][variant])
    modes = [m["params"]["modeId"] for m in talk.printed if m["method"] == "session/set_mode"]
    assert modes == ([] if mode is None else [mode])


CLAUDE = ("@agentclientprotocol/claude-agent-acp", ["auto", "default", "acceptEdits", "plan"])

CODEX = (
    "@agentclientprotocol/codex-acp",
    ["agent", "read-only", "workspace-write", "agent-full-access"],
)


@pytest.mark.parametrize(
    ("agent", "options", "mode"),
    [
        (CLAUDE, {"approvals": True}, "default"),
        (CLAUDE, {"auto_approve": True}, "default"),
        (CLAUDE, {"plan": True}, "plan"),
        (CLAUDE, {}, None),
        (CODEX, {"approvals": True}, "read-only"),
        (CODEX, {"auto_approve": True}, "agent-full-access"),
        (CODEX, {"plan": True}, "plan"),
    ],
)
def test_an_agent_that_would_decide_by_itself_is_made_to_ask_whoever_the_variant_says(
    agent: tuple[str, list[str]], options: dict[str, Any], mode: str | None
) -> None:
    name, modes = agent
    talk = Talk(**options)
    talk.reply({"agentInfo": {"name": name}})
    offered = {"availableModes": [{"id": id} for id in modes], "currentModeId": modes[0]}
    plans = {"id": "collaboration_mode", "category": "collaboration_mode"}
    choices = {**plans, "options": [{"value": "default"}, {"value": "plan"}]}
    talk.reply(
        {"sessionId": "s", "modes": offered, "configOptions": [choices] if agent == CODEX else []}
    )
    request = talk.printed[-1]
    chosen = request["params"].get("modeId") or request["params"].get("value")
    assert chosen == mode
    assert (request["method"] == "session/prompt") is (mode is None)


def test_a_plan_is_shown_to_a_person_even_if_all_else_is_allowed() -> None:
    talk = talk_of(Executor.DROID, plan=True, autonomy="high")
    assert talk.ask(1, [ONCE, REJECT], toolCallId="p", rawInput={"plan": "# P"}) == []
    assert talk.ask(2, [ONCE, REJECT], toolCallId="t", kind="execute") == ["answer 2"]


def test_a_plan_in_a_file_is_shown_with_the_question() -> None:
    talk = talk_of(Executor.GEMINI, plan=True, yolo=True)
    diff = {"type": "diff", "path": "/h/plans/p.md", "oldText": "", "newText": "# P"}
    talk.update("tool_call", toolCallId="w", kind="edit", status="completed", content=[diff])
    title = "Requesting plan approval for: /h/plans/p.md"
    talk.ask(1, [ONCE, REJECT], toolCallId="exit_plan_mode__1", title=title, kind="other")
    [asked] = talk.only(ApprovalAsked)
    assert asked.tool_input["plan"] == "# P"
    entry = entries(talk.events)[asked.entry_key]
    assert tool_of(entry).action_type == PlanPresentation(plan="# P")


@pytest.mark.parametrize("stop", ["end_turn", "cancelled"])
def test_the_reason_of_a_denial_is_told_when_the_turn_is_over(stop: str) -> None:
    talk = talk_of(Executor.GEMINI)
    talk.ask(7, [ONCE, REJECT], title="Danger", kind="execute")
    [asked] = talk.only(ApprovalAsked)
    talk.dialogue.send(Decide(asked.call, Decision.DENIED, reason="Too slow."))
    assert talk.pump() == ["answer 7"]
    assert tool_of(entries(talk.events)["tool:t"]).status == Denied()
    prompt = next(m["id"] for m in reversed(talk.printed) if m.get("method") == "session/prompt")
    assert talk.hear(id=prompt, result={"stopReason": stop}) == ["session/prompt"]
    assert talk.printed[-1]["params"]["prompt"][0]["text"].endswith("“Danger”: Too slow.")
    assert talk.only(TurnEnded) == []
    assert talk.reply({"stopReason": "end_turn"}) == []
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.COMPLETED)]
    assert [line for line in reported(talk.events) if line.startswith("user")] == ["user: do it"]


def test_a_denial_without_a_reason_and_an_interrupt_are_followed_by_nothing() -> None:
    for reason, interrupt, outcome in (
        (None, False, Outcome.COMPLETED),
        ("No.", True, Outcome.INTERRUPTED),
    ):
        talk = talk_of(Executor.COPILOT)
        talk.ask(7, [ONCE, REJECT])
        talk.dialogue.send(Decide(talk.only(ApprovalAsked)[0].call, Decision.DENIED, reason=reason))
        talk.pump()
        if interrupt:
            talk.dialogue.send(Interrupt())
            talk.pump()
        prompt = next(
            m["id"] for m in reversed(talk.printed) if m.get("method") == "session/prompt"
        )
        assert talk.hear(id=prompt, result={"stopReason": "cancelled"}) == []
        assert talk.only(TurnEnded) == [TurnEnded(outcome)]
