"""Errors of agents of the Agent Client Protocol as one readable sentence."""

from __future__ import annotations

from typing import Any

from anyond.agents.common.disguised_errors import refuses_key
from anyond.agents.json_rpc.jsonrpc import Fault, as_dict, as_list, as_text
from anyond.agents.json_rpc.rpc_errors import rpc_error_text

_AUTH_REQUIRED = -32000
_UNAUTHORIZED = 401
_LOGIN_KINDS = frozenset(
    {
        *("authentication_failed", "authentication_error", "authenticationerror", "auth_required"),
        *("unauthorized", "unauthenticated", "invalid_api_key", "token_expired"),
        *("providerautherror", "loadapikeyerror", "ai_loadapikeyerror", "invalid_grant"),
    }
)
_KINDS = frozenset(
    {
        *("errorKind", "errorName", "codexErrorInfo", "codex_error_info", "type", "kind", "name"),
        *("status", "statusCode", "status_code", "httpStatusCode", "code", "error"),
    }
)
_DATA_MOST = 200
"""So many values of what comes with an error are looked at."""
FAILED = "The agent's turn failed, and it does not say why."
UNANSWERED = "The agent ended the turn, but no answer of its model had come to an end."
_STOPS = {
    "max_tokens": "The agent stopped: the model's limit of tokens was reached.",
    "max_turn_requests": "The agent stopped: its limit of requests in one turn was reached.",
    "refusal": "The agent refuses to go on with this request.",
    "": "The agent ended the turn without saying why.",
}


def stop_text(reason: str) -> str:
    """The reason why a turn that was not completed ended, by its `stopReason`."""
    return _STOPS.get(reason, f"The agent stopped: {reason[:200]}.")


def demands_login(fault: Fault) -> bool:
    """Return whether the agent wants the person to log in before it does anything."""
    return fault.code == _AUTH_REQUIRED


def is_login(fault: Fault) -> bool:
    """Return whether a login, or another key, cures it, however the agent tells that."""
    if demands_login(fault) or fault.code == _UNAUTHORIZED:
        return True
    return _names_login(fault.data) or refuses_key(rpc_error_text(fault))


def _names_login(data: Any) -> bool:
    """Return whether what comes with an error names one of these kinds, at whatever place."""
    level = [data]
    looked = 0
    while level and looked < _DATA_MOST:
        below: list[Any] = []
        for value in level[: _DATA_MOST - looked]:
            looked += 1
            for name, one in as_dict(value).items():
                if name.lower() in _LOGIN_KINDS or (name in _KINDS and _is_login_kind(one)):
                    return True
                below.append(one)
            for one in as_list(value):
                if as_text(one).lower() in _LOGIN_KINDS:
                    return True
                below.append(one)
        level = [one for one in below if isinstance(one, dict | list)]
    return False


def _is_login_kind(kind: Any) -> bool:
    unauthorized = kind in (_UNAUTHORIZED, str(_UNAUTHORIZED))
    return unauthorized or as_text(kind).lower() in _LOGIN_KINDS


def login_text(name: str, methods: list[Any], login: str = "") -> str:
    """Return the advice to log in.

    Args:
        name: of the agent.
        methods: its `authMethods`.
        login: how a person logs in, where that is known; "" if not.
    """
    if login:
        return login
    hints = [
        as_text(method.get("description")) or as_text(method.get("name"))
        for method in map(as_dict, methods)
    ]
    ways = "; ".join(hint for hint in hints if hint)
    text = f"{name} wants you to log in first: do that with its own command line, then try again."
    return f"{text} It offers: {ways}." if ways else text
