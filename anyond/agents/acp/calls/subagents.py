"""From which sub-agent an update is; each agent tells it in its own way, or does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.calls.tools import ToolCall
from anyond.agents.acp.session.quirks import Quirks
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text


def parent_of(
    update: Mapping[str, Any], quirks: Quirks, at_work: Mapping[str, ToolCall]
) -> str | None:
    """The key of the sub-agent's entry, where the agent tells it; None for the main agent.

    Args:
        at_work: the tool calls that are open, by the keys of their entries.
    """
    meta = update.get("_meta")
    if not isinstance(meta, dict):
        return None
    parent = as_dict(meta.get("claudeCode")).get("parentToolUseId")
    if call_id := as_text(parent) or as_text(meta.get("parentToolCallId")):
        return f"tool:{call_id}"
    # This one tells that it is from a sub-agent, but not from which.
    if as_dict(meta.get("github.com/copilot")).get("agentId"):
        return silent_parent(quirks, at_work)
    return None


def silent_parent(quirks: Quirks, at_work: Mapping[str, ToolCall]) -> str | None:
    """The sub-agent that must have said something which is not marked, as it is at work alone."""
    if not quirks.silent_subagents or not at_work:
        return None
    jobs = [key for key, call in at_work.items() if call.is_job and not call.apart]
    return jobs[0] if len(jobs) == 1 else None
