"""What the errors of agents of the Agent Client Protocol say, in one readable sentence."""

from __future__ import annotations

from typing import Any

from anyond.agents.jsonrpc import Fault, as_dict, as_text, loads

_AUTH_REQUIRED = -32000
_MOST = 4000
_DETAILS = ("details", "message", "detail", "error", "reason")
_KINDS = ("errorKind", "errorName")
_STOPS = {
    "max_tokens": "The agent stopped: the model's limit of tokens was reached.",
    "max_turn_requests": "The agent stopped: its limit of requests in one turn was reached.",
    "refusal": "The agent refuses to go on with this request.",
    "": "The agent ended the turn without saying why.",
}


def stop_text(reason: str) -> str:
    """Why a turn that was not completed ended, by its `stopReason`."""
    return _STOPS.get(reason, f"The agent stopped: {reason[:200]}.")


def is_login(fault: Fault) -> bool:
    """Whether the agent wants the person to log in."""
    return fault.code == _AUTH_REQUIRED


def login_text(name: str, methods: list[Any]) -> str:
    """What to do about it.

    Args:
        name: of the agent.
        methods: its `authMethods`.
    """
    hints = [
        as_text(method.get("description")) or as_text(method.get("name"))
        for method in map(as_dict, methods)
    ]
    ways = "; ".join(hint for hint in hints if hint)
    text = f"{name} wants you to log in first: do that with its own command line, then try again."
    return f"{text} It offers: {ways}." if ways else text


def fault_text(fault: Fault) -> str:
    """The message of an error and what its data add, without repeating."""
    message = _inner(fault.message).removeprefix("Internal error: ").removeprefix("Agent error: ")
    data = as_dict(fault.data)
    detail = as_text(fault.data) or next(
        (found for name in _DETAILS if (found := _words(data.get(name)))), ""
    )
    if detail and detail not in message:
        bare = message.lower().rstrip(".") in ("", "internal error")
        message = detail if bare else f"{message}: {detail}"
    kind = next((found for name in _KINDS if (found := as_text(data.get(name)))), "")
    if kind and kind not in message:
        message = f"{message} ({kind})" if message else kind
    return message[:_MOST] or f"The agent reported error {fault.code}."


def _words(value: object) -> str:
    return as_text(value) or as_text(as_dict(value).get("message"))


def _inner(message: str) -> str:
    """Some agents pass on the answer of the model's server as it is."""
    if not message.lstrip().startswith("{"):
        return message.strip()
    told = as_dict(loads(message))
    error = as_dict(told.get("error")) or told
    inner = as_text(error.get("message"))
    status = as_text(error.get("status"))
    return (f"{inner} ({status})" if status else inner) if inner else message.strip()
