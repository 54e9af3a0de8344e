"""Which agents Anyon can run, what each can do, and which variants of them are built in."""

from __future__ import annotations

from collections.abc import Mapping

from anyond.agents.acp import Acp
from anyond.agents.amp import Amp
from anyond.agents.claude import Claude
from anyond.agents.codex import Codex
from anyond.agents.core import Agent
from anyond.agents.cursor import Cursor
from anyond.agents.demo import Demo
from anyond.model.errors import Impossible
from anyond.model.settings import Executor, Variant

AGENTS: Mapping[Executor, Agent] = {
    Executor.CLAUDE_CODE: Claude(),
    Executor.AMP: Amp(),
    Executor.CURSOR_AGENT: Cursor(),
    Executor.CODEX: Codex(),
    Executor.ACP: Acp(),
    Executor.DEMO: Demo(),
}

CAPABILITIES: Mapping[str, list[str]] = {
    Executor.CLAUDE_CODE: ["SESSION_FORK"],
    Executor.AMP: [],
    Executor.CURSOR_AGENT: ["SETUP_HELPER"],
    Executor.CODEX: ["SESSION_FORK"],
    Executor.ACP: [],
    Executor.DEMO: [],
}
"""SESSION_FORK: a conversation can be taken up again from an earlier message; SETUP_HELPER: it can
be installed and logged in by scripts."""

STEERABLE = frozenset({Executor.CLAUDE_CODE, Executor.CODEX})
"""Those that take a message while their turn runs."""

DEFAULT_PROFILES: Mapping[Executor, Mapping[str, Variant]] = {
    Executor.CLAUDE_CODE: {
        "DEFAULT": {"dangerously_skip_permissions": True},
        "PLAN": {"plan": True},
        "APPROVALS": {"approvals": True},
    },
    Executor.AMP: {"DEFAULT": {"dangerously_allow_all": True}},
    Executor.CURSOR_AGENT: {
        "DEFAULT": {"force": True, "model": "auto"},
        "SONNET_4_5": {"force": True, "model": "sonnet-4.5"},
        "SONNET_4_5_THINKING": {"force": True, "model": "sonnet-4.5-thinking"},
        "OPUS_4_1": {"force": True, "model": "opus-4.1"},
        "GPT_5": {"force": True, "model": "gpt-5"},
        "GROK": {"force": True, "model": "grok"},
    },
    Executor.CODEX: {
        "DEFAULT": {"sandbox": "danger-full-access"},
        "HIGH": {"sandbox": "danger-full-access", "model_reasoning_effort": "high"},
        "APPROVALS": {"sandbox": "workspace-write", "ask_for_approval": "unless-trusted"},
    },
    Executor.ACP: {"DEFAULT": {}},
    Executor.DEMO: {"DEFAULT": {}},
}


def capabilities() -> Mapping[str, list[str]]:
    """What each agent can do, as clients are told it; STEER is ours to add."""
    return {
        name: [*able, *(["STEER"] if name in STEERABLE else [])]
        for name, able in CAPABILITIES.items()
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
