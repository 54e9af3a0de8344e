"""Errors of Codex as one readable sentence, and the ones that a login cures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anyond.agents.common.disguised_errors import refuses_key
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text, loads

LOGIN = "Log in with `codex login`, or check the key of the model's provider."
_MOST = 4000
_UNAUTHORIZED = 401
_DRESSED = re.compile(r"\{.*\}", re.DOTALL)


def error_text(error: Mapping[str, Any], *, advice: bool = True) -> str:
    """The message of a turn's error and what its details add, without repeating.

    Args:
        advice: say how to log in, if that cures it.
    """
    message = _undressed(as_text(error.get("message")))
    details = _undressed(as_text(error.get("additionalDetails")))
    if details and details not in message:
        message = f"{message}: {details}" if message else details
    if advice and is_login(error):
        message = with_advice(message)
    return message[:_MOST] or "The agent reported an error without a message."


def with_advice(message: str) -> str:
    """The message of an error that a login cures, and how to log in."""
    return f"{message.rstrip('.')}. {LOGIN}" if message else LOGIN


def is_login(error: Mapping[str, Any]) -> bool:
    """Return whether the person has to log in, or to set a key."""
    info = error.get("codexErrorInfo")
    if info == "unauthorized" or "unauthorized" in as_dict(info):
        return True
    for detail in as_dict(info).values():
        if as_dict(detail).get("httpStatusCode") == _UNAUTHORIZED:
            return True
    return any(refuses_key(as_text(error.get(name))) for name in ("message", "additionalDetails"))


def _undressed(text: str) -> str:
    """The answer of the model's server is sometimes passed on as it is."""
    dressed = _DRESSED.search(text)
    if dressed is None:
        return text.strip()
    fields = as_dict(loads(dressed[0]))
    error = as_dict(fields.get("error")) or fields
    inner = as_text(error.get("message")) or as_text(error.get("detail"))
    return f"{text[: dressed.start()]}{inner}{text[dressed.end() :]}".strip() if inner else text
