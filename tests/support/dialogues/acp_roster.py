"""Talks of each agent of the roster that speaks the Agent Client Protocol."""

from __future__ import annotations

from typing import Any

from anyond.agents.acp.agent import Acp
from anyond.agents.common.core import (
    Turn,
)
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor
from tests.support.dialogues.acp_talk import Talk

MODES = {
    Executor.GEMINI: ("gemini-cli", ["default", "autoEdit", "yolo", "plan"]),
    Executor.QWEN_CODE: ("qwen-code", ["plan", "default", "auto-edit", "yolo"]),
    Executor.COPILOT: ("Copilot", ["x#agent", "x#plan", "x#autopilot"]),
    Executor.DROID: (
        "@factory/cli",
        ["normal", "spec", "auto-low", "auto-medium", "auto-high"],
    ),
}


def talk_of(executor: Executor, session: str | None = None, **options: Any) -> Talk:
    """A talk with that agent in the middle of its turn."""
    known = AGENTS[executor]
    assert isinstance(known, Acp)
    talk = Talk(session)
    turn = Turn(prompt="do it", cwd="/w", session_id=session, options=options)
    talk.dialogue = known.dialogue(turn)
    talk.printed.clear()
    talk.events.clear()
    talk.pump()
    name, modes = MODES[executor]
    can = {"loadSession": True, "sessionCapabilities": {}}
    talk.reply({"agentInfo": {"name": name}, "agentCapabilities": can})
    if session is None:
        offered = {"availableModes": [{"id": id} for id in modes]}
        talk.reply({"sessionId": "s", "modes": offered})
        if talk.printed[-1]["method"] != "session/prompt":
            talk.reply()
        assert talk.printed[-1]["method"] == "session/prompt"
    return talk
