"""Selectors of a session of the Agent Client Protocol: its choices, and the request to choose.

There are two ways: the protocol's own lists of modes and models, and options of the session that
belong to the category of either. Some agents know both, and announce one that they do not take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct

from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text

NAMES = ("mode", "model")
_LOOKED_AT = 5000
"""So many choices of one list are looked at."""

# The protocol's own list of each: the names of it, of its choices, of the current one, of ids.
_LISTS = {
    "mode": ("modes", "availableModes", "currentModeId", "id"),
    "model": ("models", "availableModels", "currentModelId", "modelId"),
}

# One agent has its plan mode beside the modes that say what it may do.
_MODES = frozenset({"mode", "collaboration_mode"})


class Selector(Struct, frozen=True):
    """One way to choose a mode, or a model.

    Args:
        method: of the request.
        key: its parameter that holds the value.
        params: its other parameters, besides the session.
        current: the value now; "" if that is not told.
        choices: what the agent tells of each value, in its order.
    """

    method: str
    key: str
    params: Mapping[str, Any]
    current: str
    choices: Mapping[str, Mapping[str, Any]]

    def request(self, value: str) -> Mapping[str, Any]:
        """The parameters that choose `value`, besides the session."""
        return {**self.params, self.key: value}


def selectors(name: str, answer: Mapping[str, Any]) -> list[Selector]:
    """All ways that an agent tells, the protocol's own list first.

    Args:
        name: `mode` or `model`.
        answer: the answer to the request that opened the session.
    """
    found: list[Selector] = []
    own, available, current_id, id = _LISTS[name]
    if group := as_dict(answer.get(own)):
        choices = _by_value(as_list(group.get(available)), id)
        current = as_text(group.get(current_id))
        found.append(Selector(*_plain(name), {}, current, choices))
    if not answer.get("configOptions"):
        return found
    for option in _options(name, answer):
        choices = _by_value(_flat(as_list(option.get("options"))), "value")
        current = as_text(option.get("currentValue"))
        method, params = "session/set_config_option", {"configId": option["id"]}
        found.append(Selector(method, "value", params, current, choices))
    return found


def unannounced(name: str) -> Selector:
    """The way to choose what an agent does not speak of at all."""
    return Selector(*_plain(name), {}, "", {})


def _plain(name: str) -> tuple[str, str]:
    return f"session/set_{name}", f"{name}Id"


def _options(name: str, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The options of the session that choose it."""
    options = [
        one
        for one in _dicts(answer.get("configOptions"))
        if as_text(one.get("id")) and one.get("type") != "boolean"
    ]
    if name == "mode":
        return [one for one in options if {one["id"], as_text(one.get("category"))} & _MODES]
    # One agent has its providers in the category of models as well.
    named = [one for one in options if one["id"] == name]
    return named or [one for one in options if one.get("category") == name]


def _dicts(values: Any) -> list[Mapping[str, Any]]:
    return [as_dict(one) for one in islice(as_list(values), _LOOKED_AT)]


def _flat(choices: list[Any]) -> Iterator[Any]:
    """The choices, also of those that come in groups."""
    for choice in choices:
        if "value" not in (found := as_dict(choice)) and "options" in found:
            yield from as_list(found["options"])
        else:
            yield choice


def _by_value(choices: Iterator[Any] | list[Any], key: str) -> dict[str, Mapping[str, Any]]:
    dicts = map(as_dict, islice(choices, _LOOKED_AT))
    return {value: one for one in dicts if (value := as_text(one.get(key)))}
