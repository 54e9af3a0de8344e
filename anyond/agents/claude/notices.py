"""The notices of Claude Code: those that say nothing to a person, and the words of the others."""

from __future__ import annotations

import re

from anyond.agents.claude import wire
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text

HARMLESS_TYPES = frozenset(
    {"keep_alive", "tool_progress", "tool_use_summary", "auth_status", "rate_limit_event"}
)
HARMLESS_NOTICES = frozenset(
    {
        "status",
        "thinking_tokens",
        "task_started",
        "task_progress",
        "task_updated",
        "task_summary",
        "hook_started",
        "hook_progress",
        "hook_response",
        "stop_hook_summary",
        "post_turn_summary",
        "turn_duration",
        "session_state_changed",
        "files_persisted",
        "commands_changed",
        "memory_saved",
        "memory_recall",
        "background_tasks_changed",
        "permission_denied",
    }
)
NOTICE_MOST = 4096
"""Characters of a notice of the program that are shown."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def without_escapes(text: str) -> str:
    """Return `text` without the escape sequences of terminals."""
    return _ANSI.sub("", text)


def words_of(notice: wire.SystemLine) -> str:
    """Return the words of a notice that nobody here knows; "" if it has none."""
    words = (notice.content, notice.message, notice.text, notice.title, notice.summary)
    found = (word.strip() for word in words if isinstance(word, str))
    return without_escapes(next((word for word in found if word), ""))[:NOTICE_MOST]


def retry_text(notice: wire.SystemLine) -> str:
    """Return the sentence on a request to the model that failed and is made again."""
    status = f", status {notice.error_status}" if notice.error_status is not None else ""
    details = as_dict(notice.error)
    error = as_text(notice.error) or as_text(details.get("message")) or as_text(details.get("type"))
    text = f"The model's server refused or failed ({error or 'unknown error'}{status}). "
    if notice.max_retries:
        wait = f"{notice.retry_delay_ms / 1000:.1f} s"
        text += f"Try {notice.attempt} of {notice.max_retries} is in {wait}."
    else:
        text += "It is asked again."
    return text
