"""Choosing mode and model in a session of the Agent Client Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.acp.session.quirks import Quirks
from anyond.agents.acp.session.selectors import Selector, selectors, unannounced
from anyond.agents.json_rpc.jsonrpc import METHOD_NOT_FOUND, Fault
from anyond.agents.json_rpc.rpc_errors import rpc_error_text
from anyond.model.printable import printable

_LISTED = 20
"""So many choices are named to the person who has named one that is refused."""


class OptionRequest(Struct, frozen=True):
    """A setting to be made before the prompt.

    Args:
        what: its name in a sentence.
        method: of the request, with its parameters besides the session.
        otherwise: what to ask for if the agent does not know that method.
        offer: what else there is, as a sentence; "" if the agent offers just this.
    """

    what: str
    method: str
    params: Mapping[str, Any]
    otherwise: OptionRequest | None = None
    offer: str = ""

    def refusal(self, fault: Fault) -> str:
        """Return the sentence for a person when the agent has refused it."""
        reason = rpc_error_text(fault)
        if fault.code == METHOD_NOT_FOUND:
            reason = "the agent does not let it be chosen in a session"
        text = f"{self.what} was refused: {reason}"
        return f"{text.rstrip('.')}. {self.offer}" if self.offer else text


def option_requests(
    options: AcpOptions, answer: Mapping[str, Any], quirks: Quirks
) -> tuple[list[OptionRequest], list[str]]:
    """Return the choices to set in a new session, and complaints about those it does not offer.

    What a person has named is asked for, also if the agent does not list it: it knows best.

    Args:
        answer: the answer to the request that opened the session.
        quirks: how this agent calls its modes.
    """
    found: list[OptionRequest] = []
    missing: list[str] = []
    mode = options.session_mode or (quirks.plan_mode if options.plan else None)
    usual = None
    if mode is None:
        # Nobody has named it: if it is not there, what the agent asks is answered all the same.
        usual = quirks.ask_mode if options.approvals else None
        usual = usual if options.asks else quirks.free_mode
    for name, value in (("model", options.session_model), ("mode", mode or usual)):
        if not value:
            continue
        ways = selectors(name, answer)
        fitting = [(way, id) for way in ways for id in way.choices if _names(id, value)]
        if any(id == way.current for way, id in fitting):
            continue
        if fitting:
            found.append(_option_request(name, fitting, ""))
        elif name == "model" or options.mode == value:
            ways = ways or [unannounced(name)]
            found.append(_option_request(name, [(way, value) for way in ways], _offer(ways)))
        elif value is not usual:
            choice = _offer(ways) or "It offers no choice."
            choice = choice[:1].lower() + choice[1:]
            missing.append(f"The agent does not know the {name} {value!r}; {choice}")
    return found, missing


def _option_request(name: str, ways: Sequence[tuple[Selector, str]], offer: str) -> OptionRequest:
    request = None
    for way, value in reversed(ways):
        what = f"The {name} {printable(value)!r}"
        request = OptionRequest(what, way.method, way.request(value), request, offer)
    assert request is not None
    return request


def _offer(ways: Sequence[Selector]) -> str:
    """Return the offered choices in a sentence; "" if there are none."""
    ids = [printable(id)[:100] for way in ways for id in way.choices]
    if not ids:
        return ""
    rest = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return f"It offers {', '.join(ids[:_LISTED])}{rest}."


def _names(id: str, value: str) -> bool:
    # Some agents name their modes by URLs that end in the word.
    return id == value or id.endswith("#" + value)
