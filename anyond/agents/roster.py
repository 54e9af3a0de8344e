"""Which agents Anyon can run, what each can do, and which variants of them are built in."""

from __future__ import annotations

from collections.abc import Mapping

from anyond.agents.acp import Acp
from anyond.agents.claude import Claude
from anyond.agents.copilot import COPILOT
from anyond.agents.core import Agent
from anyond.agents.demo import Demo
from anyond.agents.droid import DROID
from anyond.agents.gemini import GEMINI
from anyond.agents.opencode import OPENCODE
from anyond.agents.qwen import QWEN
from anyond.model.errors import Impossible
from anyond.model.settings import Executor, Variant

AGENTS: Mapping[Executor, Agent] = {
    Executor.CLAUDE_CODE: Claude(),
    Executor.GEMINI: GEMINI,
    Executor.QWEN_CODE: QWEN,
    Executor.OPENCODE: OPENCODE,
    Executor.COPILOT: COPILOT,
    Executor.DROID: DROID,
    Executor.ACP: Acp(),
    Executor.DEMO: Demo(),
}

CAPABILITIES: Mapping[str, list[str]] = {
    Executor.CLAUDE_CODE: ["SESSION_FORK"],
    Executor.GEMINI: [],
    Executor.QWEN_CODE: [],
    Executor.OPENCODE: [],
    Executor.COPILOT: [],
    Executor.DROID: [],
    Executor.ACP: [],
    Executor.DEMO: [],
}
"""SESSION_FORK: a conversation can be taken up again from an earlier message."""

DEFAULT_PROFILES: Mapping[Executor, Mapping[str, Variant]] = {
    Executor.CLAUDE_CODE: {
        "DEFAULT": {"dangerously_skip_permissions": True},
        "PLAN": {"plan": True},
        "APPROVALS": {"approvals": True},
    },
    Executor.GEMINI: {
        "DEFAULT": {"model": "default", "yolo": True},
        "FLASH": {"model": "flash", "yolo": True},
        "PLAN": {"model": "default", "plan": True, "yolo": True},
        "APPROVALS": {"model": "default", "approvals": True},
    },
    Executor.QWEN_CODE: {
        "DEFAULT": {"yolo": True},
        "PLAN": {"plan": True, "yolo": True},
        "APPROVALS": {"approvals": True},
    },
    Executor.OPENCODE: {
        "DEFAULT": {},
        "PLAN": {"plan": True},
        "APPROVALS": {"approvals": True},
    },
    Executor.COPILOT: {
        "DEFAULT": {"allow_all_tools": True},
        "GPT_5": {"allow_all_tools": True, "model": "gpt-5"},
        "CLAUDE_SONNET_4_5": {"allow_all_tools": True, "model": "claude-sonnet-4.5"},
        "CLAUDE_SONNET_4": {"allow_all_tools": True, "model": "claude-sonnet-4"},
        "PLAN": {"plan": True, "allow_all_tools": True},
        "APPROVALS": {"approvals": True},
    },
    Executor.DROID: {
        "DEFAULT": {"autonomy": "high"},
        "PLAN": {"plan": True, "autonomy": "high"},
        "APPROVALS": {"approvals": True},
    },
    Executor.ACP: {"DEFAULT": {}},
    Executor.DEMO: {"DEFAULT": {}},
}


def agent(executor: Executor) -> Agent:
    """The agent of that name.

    Raises:
        Impossible: the name is known to the API, but there is no adapter for it.
    """
    found = AGENTS.get(executor)
    if found is None:
        names = ", ".join(sorted(AGENTS))
        raise Impossible(
            "executor_profile_id.executor",
            f"Anyon has no adapter for {executor}; it can run {names}",
        )
    return found
