"""Errors of JSON-RPC as one readable sentence."""

from __future__ import annotations

import re

from anyond.agents.json_rpc.jsonrpc import Fault, as_dict, as_text, loads

_MOST = 4000
_DETAILS = ("details", "message", "detail", "error", "reason")
_KINDS = ("errorKind", "errorName")
_MEANINGLESS = frozenset({"", "unknown"})
_BARE = frozenset({"", "internal error", "agent error"})
# What the runtimes of some agents say of a connection, and hand on as they get it.
_WORDINGS = (
    (
        re.compile(r"terminated"),
        "The connection to the model's server broke off in the middle of an answer.",
    ),
    (
        re.compile(r"(?:exception )?TypeError: fetch failed sending request|fetch failed"),
        "The model's server could not be reached.",
    ),
    (
        re.compile(r"(The socket connection was closed unexpectedly\.) For more information, .*"),
        "{}",
    ),
)


def rpc_error_text(fault: Fault) -> str:
    """The message of an error and what its data add, without repeating."""
    message = _inner(fault.message).removeprefix("Internal error: ").removeprefix("Agent error: ")
    data = as_dict(fault.data)
    detail = as_text(fault.data) or next(
        (found for name in _DETAILS if (found := _words(data.get(name)))), ""
    )
    if detail and detail not in message:
        message = detail if message.lower().rstrip(".") in _BARE else f"{message}: {detail}"
    message = worded(message)
    kind = next((found for name in _KINDS if (found := as_text(data.get(name)))), "")
    if kind not in _MEANINGLESS and kind not in message:
        message = f"{message} ({kind})" if message else kind
    return message[:_MOST] or f"The agent reported error {fault.code}."


def worded(message: str) -> str:
    """The same in words for a person, if it is what a runtime says to programmers."""
    for pattern, words in _WORDINGS:
        if (found := pattern.fullmatch(message)) is not None:
            return words.format(*found.groups())
    return message


def _words(value: object) -> str:
    return as_text(value) or as_text(as_dict(value).get("message"))


def _inner(message: str) -> str:
    """Some agents pass on the answer of the model's server as it is."""
    if not message.lstrip().startswith("{"):
        return message.strip()
    decoded = as_dict(loads(message))
    error = as_dict(decoded.get("error")) or decoded
    inner = as_text(error.get("message"))
    status = as_text(error.get("status"))
    return (f"{inner} ({status})" if status else inner) if inner else message.strip()
