"""The modes and models that an agent of the Agent Client Protocol tells of, fit to be kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.session.selectors import selectors
from anyond.agents.json_rpc.jsonrpc import as_text
from anyond.model.http.offers import Choice, Offers

MOST = {"mode": 50, "model": 300}
"""So many of each are kept."""

ID_MOST = 200
NAME_MOST = 100
DESCRIPTION_MOST = 300
TOLD_MOST = 20
"""So often a run may tell of new ones."""

_ODD = re.compile(
    r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PARTS = ("modes", "models", "configOptions")


class OffersTold:
    """What a session has told so far: each part counts until it is told anew."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}
        self._last = Offers()
        self._times = 0

    def take(self, told: Mapping[str, Any]) -> Offers | None:
        """All that is offered now, if `told` has changed it."""
        parts = {part: told[part] for part in _PARTS if told.get(part)}
        if not parts or self._times == TOLD_MOST:
            return None
        self._told.update(parts)
        now = offers(self._told)
        if now == self._last:
            return None
        self._last = now
        self._times += 1
        return now


def offers(told: Mapping[str, Any]) -> Offers:
    """The modes and models of what an agent tells of a session."""
    modes, more_modes = _choices("mode", told)
    models, more_models = _choices("model", told)
    return Offers(modes=modes, models=models, more=more_modes + more_models)


def _choices(name: str, told: Mapping[str, Any]) -> tuple[tuple[Choice, ...], int]:
    found: dict[str, Choice | None] = {}
    for selector in selectors(name, told):
        for value, one in selector.choices.items():
            if value not in found:
                found[value] = _choice(value, one)
    kept = tuple(choice for choice in found.values() if choice is not None)[: MOST[name]]
    return kept, len(found) - len(kept)


def _choice(value: str, told: Mapping[str, Any]) -> Choice | None:
    """None if nobody could choose it: what is sent must be what the agent has said."""
    if len(value) > ID_MOST or _ODD.search(value):
        return None
    name = _clean(told.get("name"), NAME_MOST)
    described = _clean(told.get("description"), DESCRIPTION_MOST)
    return Choice(id=value, name=name or value, description=described)


def _clean(told: Any, most: int) -> str:
    """One line of it, cut."""
    text = " ".join(_ODD.sub(" ", as_text(told)[: most * 4]).split())
    return text if len(text) <= most else text[: most - 1] + "…"
