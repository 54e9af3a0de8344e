"""Which mode and model to choose from what an agent of the Agent Client Protocol offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anyond.agents.acp.options import AcpOptions
from anyond.agents.acp.quirks import Quirks
from anyond.agents.jsonrpc import as_dict, as_list, as_text

# One agent has its plan mode beside the modes that say what it may do.
_GROUPS = {"model": {"model"}, "mode": {"mode", "collaboration_mode"}}


@dataclass(frozen=True)
class Wish:
    """A setting to be made before the prompt.

    Args:
        what: its name in a sentence.
    """

    what: str
    method: str
    params: Mapping[str, Any]


def wishes(
    options: AcpOptions, told: Mapping[str, Any], quirks: Quirks
) -> tuple[list[Wish], list[str]]:
    """What to set in a new session, and complaints about what it does not offer.

    Args:
        told: the answer to the request that opened the session.
        quirks: how this agent calls its modes.
    """
    found: list[Wish] = []
    missing: list[str] = []
    mode = options.session_mode or (quirks.plan_mode if options.plan else None)
    usual = None
    if mode is None:
        # Nobody has named it: if it is not there, what the agent asks is answered all the same.
        usual = quirks.ask_mode if options.approvals else None
        usual = usual if options.asks else quirks.free_mode
    for name, wanted in (("model", options.session_model), ("mode", mode or usual)):
        if wanted is None:
            continue
        offers = _offers(name, told)
        id = next((id for id in offers if _names(id, wanted)), None)
        if id is not None:
            if id != _current(name, told):
                found.append(offers[id])
        elif wanted is not usual:
            choice = f"it offers {', '.join(offers)}" if offers else "it offers no choice"
            missing.append(f"The agent does not know the {name} {wanted!r}; {choice}.")
    return found, missing


def _names(id: str, wanted: str) -> bool:
    # Some agents name their modes by URLs that end in the word.
    return id == wanted or id.endswith("#" + wanted)


def _current(name: str, told: Mapping[str, Any]) -> str:
    group = as_dict(told.get(f"{name}s"))
    return as_text(group.get("currentModeId" if name == "mode" else "currentModelId"))


def _offers(name: str, told: Mapping[str, Any]) -> dict[str, Wish]:
    """The ids that can be chosen, and how; `name` is `mode` or `model`."""
    offers: dict[str, Wish] = {}
    for config in map(as_dict, as_list(told.get("configOptions"))):
        if not {as_text(config.get("category")), as_text(config.get("id"))} & _GROUPS[name]:
            continue
        for choice in map(as_dict, as_list(config.get("options"))):
            if value := as_text(choice.get("value")):
                params = {"configId": config.get("id"), "value": value}
                wish = Wish(f"The {name} {value!r}", "session/set_config_option", params)
                offers[value] = wish
    group = as_dict(told.get(f"{name}s"))
    for choice in map(as_dict, as_list(group.get(f"available{name.capitalize()}s"))):
        key = "id" if name == "mode" else "modelId"
        if value := as_text(choice.get(key)):
            params = {f"{name}Id": value}
            offers[value] = Wish(f"The {name} {value!r}", f"session/set_{name}", params)
    return offers
