"""The agents that Anyon can run, the abilities of each, and the built-in variants."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.named import NamedAcp
from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.amp.agent import Amp, AmpOptions
from anyond.agents.claude import agent as claude
from anyond.agents.claude.agent import Claude
from anyond.agents.codex import options as codex
from anyond.agents.codex.agent import Codex
from anyond.agents.common.core import Agent, Checks, SetsUp, Turn
from anyond.agents.common.variant import Common
from anyond.agents.copilot import COPILOT
from anyond.agents.cursor.agent import Cursor, CursorOptions
from anyond.agents.demo import Demo
from anyond.agents.droid import DROID
from anyond.agents.gemini import GEMINI
from anyond.agents.opencode import OPENCODE
from anyond.agents.qwen import QWEN
from anyond.model.configuration.settings import Executor, Variant
from anyond.model.http.answers import Capability
from anyond.model.refusals.requests import Impossible


class Row(Struct, frozen=True):
    """An agent of the roster.

    Args:
        variants: those that are built in, by name; "DEFAULT" must be among them.
        steerable: whether it takes a message while its turn runs.
        options: what a variant of it can say, where the agent is not one of the Agent Client
            Protocol.
    """

    agent: Agent
    variants: Mapping[str, Variant]
    steerable: bool = False
    options: type[Common] = AcpOptions

    @property
    def capabilities(self) -> list[Capability]:
        """Its capabilities, as clients get them.

        Every conversation can be taken up again from an earlier message (SESSION_FORK): where the
        agent itself cannot forget what came after, it begins anew and is told what came before.
        """
        abilities = {
            Capability.SESSION_FORK: True,
            Capability.SETUP_HELPER: isinstance(self.agent, SetsUp),
            Capability.STEER: self.steerable,
        }
        return [name for name, can in abilities.items() if can]


ROSTER: Mapping[Executor, Row] = {
    Executor.CLAUDE_CODE: Row(
        Claude(),
        {
            "DEFAULT": {"dangerously_skip_permissions": True},
            "PLAN": {"plan": True},
            "APPROVALS": {"approvals": True},
        },
        steerable=True,
        options=claude.Options,
    ),
    Executor.CODEX: Row(
        Codex(),
        {
            "DEFAULT": {"sandbox": "danger-full-access"},
            "HIGH": {"sandbox": "danger-full-access", "model_reasoning_effort": "high"},
            "PLAN": {"sandbox": "danger-full-access", "plan": True},
            "APPROVALS": {"sandbox": "workspace-write", "ask_for_approval": "unless-trusted"},
        },
        steerable=True,
        options=codex.Options,
    ),
    Executor.GEMINI: Row(
        GEMINI,
        {
            "DEFAULT": {"model": "default", "yolo": True},
            "FLASH": {"model": "flash", "yolo": True},
            "PLAN": {"model": "default", "plan": True, "yolo": True},
            "APPROVALS": {"model": "default", "approvals": True},
        },
    ),
    Executor.QWEN_CODE: Row(
        QWEN,
        {
            "DEFAULT": {"yolo": True},
            "PLAN": {"plan": True, "yolo": True},
            "APPROVALS": {"approvals": True},
        },
    ),
    Executor.OPENCODE: Row(
        OPENCODE,
        {"DEFAULT": {}, "PLAN": {"plan": True}, "APPROVALS": {"approvals": True}},
    ),
    Executor.COPILOT: Row(
        COPILOT,
        {
            "DEFAULT": {"allow_all_tools": True},
            "GPT_5": {"allow_all_tools": True, "model": "gpt-5"},
            "CLAUDE_SONNET_4_5": {"allow_all_tools": True, "model": "claude-sonnet-4.5"},
            "CLAUDE_SONNET_4": {"allow_all_tools": True, "model": "claude-sonnet-4"},
            "PLAN": {"plan": True, "allow_all_tools": True},
            "APPROVALS": {"approvals": True},
        },
    ),
    Executor.DROID: Row(
        DROID,
        {
            "DEFAULT": {"autonomy": "high"},
            "PLAN": {"plan": True, "autonomy": "high"},
            "APPROVALS": {"approvals": True},
        },
    ),
    Executor.AMP: Row(Amp(), {"DEFAULT": {"dangerously_allow_all": True}}, options=AmpOptions),
    Executor.CURSOR_AGENT: Row(
        Cursor(),
        {
            "DEFAULT": {"force": True, "model": "auto"},
            "SONNET_4_5": {"force": True, "model": "sonnet-4.5"},
            "SONNET_4_5_THINKING": {"force": True, "model": "sonnet-4.5-thinking"},
            "OPUS_4_1": {"force": True, "model": "opus-4.1"},
            "GPT_5": {"force": True, "model": "gpt-5"},
            "GROK": {"force": True, "model": "grok"},
            "PLAN": {"model": "auto", "plan": True},
        },
        options=CursorOptions,
    ),
    Executor.ACP: Row(NamedAcp(), {"DEFAULT": {}}),
    Executor.DEMO: Row(Demo(), {"DEFAULT": {}}),
}

AGENTS: Mapping[Executor, Agent] = {name: row.agent for name, row in ROSTER.items()}
DEFAULT_PROFILES: Mapping[Executor, Mapping[str, Variant]] = {
    name: row.variants for name, row in ROSTER.items()
}
CAPABILITIES: Mapping[Executor, list[Capability]] = {
    name: row.capabilities for name, row in ROSTER.items()
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


def options(executor: Executor) -> type[Common]:
    """Return the options of a variant of an agent.

    Raises:
        Impossible: there is no adapter for it.
    """
    found = agent(executor)
    return found.options if isinstance(found, Acp) else ROSTER[executor].options


def fits(executor: Executor, options: Variant) -> None:
    """Ask an agent whether it can make something of the options of a variant.

    Raises:
        Impossible: an option is of the wrong type, or of no known value; the error names it.
    """
    agent(executor).dialogue(Turn(prompt="", cwd="/", options=options))
    check(executor, options)


def check(executor: Executor, options: Variant) -> None:
    """Ask an agent whether what the options name is there at all.

    Raises:
        Impossible: there is no such adapter, or not what an option names; the error names it.
    """
    found = agent(executor)
    if isinstance(found, Checks):
        found.check(options)
