"""What the options of an agent's variant may be, whichever agent it is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from anyond.model.refusals.requests import Invalid
from anyond.model.settings import Variant

_TEXTS = frozenset(
    {
        "base_command_override",
        "append_prompt",
        "model",
        "mode",
        "agent",
        "auth_method",
        "profile",
        "base_instructions",
        "sandbox",
        "ask_for_approval",
        "model_reasoning_effort",
        "model_reasoning_summary",
        "model_reasoning_summary_format",
        "allow_tool",
        "deny_tool",
    }
)
_SWITCHES = frozenset(
    {
        "plan",
        "approvals",
        "auto_approve",
        "dangerously_skip_permissions",
        "dangerously_allow_all",
        "yolo",
        "force",
        "allow_all_tools",
        "claude_code_router",
        "disable_api_key",
        "oss",
        "include_plan_tool",
        "include_apply_patch_tool",
        "resume",
    }
)
_LISTS = frozenset(["additional_params", "add_dir", "disable_mcp_server"])


def checked(path: str, options: object) -> Variant:
    """`options` as they are, if every option that we know is of its type (or null).

    Options that we do not know are kept: they may be known to a later version.

    Raises:
        Invalid: names the option by `path` and its own name.
    """
    if not isinstance(options, Mapping):
        raise Invalid(path, "must be an object of options")
    for name, value in options.items():
        if value is not None and (problem := _problem(name, value)):
            raise Invalid(f"{path}.{name}", f"{problem}, or null")
    return dict(options)


def same(one: Variant, other: Variant) -> bool:
    """Whether two variants mean the same; null is as good as absent."""
    return _said(one) == _said(other)


def _said(options: Variant) -> Variant:
    return {name: value for name, value in options.items() if value is not None}


def _problem(name: str, value: Any) -> str | None:
    if name in _SWITCHES:
        return None if isinstance(value, bool) else "must be true or false"
    if name in _TEXTS:
        if not _is_text(value):
            return "must be a text"
        if name == "base_command_override" and not _is_command(value):
            return "must be a command line with balanced quotes"
    if name in _LISTS and not (isinstance(value, list) and all(map(_is_text, value))):
        return "must be a list of texts"
    if name == "handshake_timeout_s" and not _is_time(value):
        return "must be a number of seconds, more than 0 and at most 86400"
    if name == "env" and not _is_environment(value):
        return "must be an object that maps names of variables to texts, or to null to unset them"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 86400


def _is_command(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


def _is_environment(value: Any) -> bool:
    return isinstance(value, dict) and all(
        name and _is_text(name) and "=" not in name and (text is None or _is_text(text))
        for name, text in value.items()
    )
