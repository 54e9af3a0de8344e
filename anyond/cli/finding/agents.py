"""Agents as people name them: `claude`, `codex:review`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.rendering.harmless import in_one_line
from anyond.model.configuration.settings import Executor, ExecutorProfileId

if TYPE_CHECKING:
    from anyond.model.http.answers import UserSystemInfo


def find_agent(info: UserSystemInfo, name: str | None) -> ExecutorProfileId:
    """The agent that `AGENT[:VARIANT]` means; without a name, the one of the settings.

    Raises:
        CommandFailed: no agent, or no variant, is meant.
    """
    if name is None:
        return info.config.executor_profile
    agent, _, variant = name.partition(":")
    spelled = agent.upper().replace("-", "_")
    found = [one for one in Executor if one == spelled] or [
        one for one in Executor if one.startswith(spelled)
    ]
    if len(found) != 1 or not spelled:
        known = ", ".join(one.lower() for one in Executor)
        raise CommandFailed(
            f"No agent is meant by `{in_one_line(agent)}`. There are: {known}.",
            ExitCode.USAGE,
            "unknown_agent",
        )
    variants = info.executors.get(found[0], {})
    if not variant:
        return ExecutorProfileId(executor=found[0])
    named = next((one for one in variants if one.lower() == variant.lower()), None)
    if named is None:
        known = ", ".join(in_one_line(one) for one in variants)
        raise CommandFailed(
            f"{found[0].lower()} has no variant `{in_one_line(variant)}`. It has: {known}.",
            ExitCode.USAGE,
            "unknown_agent",
        )
    return ExecutorProfileId(executor=found[0], variant=named)
