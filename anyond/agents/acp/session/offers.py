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
CHANGES_MOST = 20
"""So often a run may tell of new ones."""

_ODD = re.compile(
    r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PARTS = ("modes", "models", "configOptions")


class ReportedOffers:
    """The choices that a session has reported so far: each part counts until it is reported
    anew.
    """

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}
        self._last = Offers()
        self._times = 0

    def take(self, answer: Mapping[str, Any]) -> Offers | None:
        """All that is offered now, if `answer` has changed it."""
        parts = {part: answer[part] for part in _PARTS if answer.get(part)}
        if not parts or self._times == CHANGES_MOST:
            return None
        self._parts.update(parts)
        now = offers(self._parts)
        if now == self._last:
            return None
        self._last = now
        self._times += 1
        return now


def offers(answer: Mapping[str, Any]) -> Offers:
    """The modes and models of what an agent tells of a session."""
    modes, more_modes = _choices("mode", answer)
    models, more_models = _choices("model", answer)
    return Offers(modes=modes, models=models, more=more_modes + more_models)


def _choices(name: str, answer: Mapping[str, Any]) -> tuple[tuple[Choice, ...], int]:
    found: dict[str, Choice | None] = {}
    for selector in selectors(name, answer):
        for value, one in selector.choices.items():
            if value not in found:
                found[value] = _choice(value, one)
    choices = tuple(choice for choice in found.values() if choice is not None)[: MOST[name]]
    return choices, len(found) - len(choices)


def _choice(value: str, choice: Mapping[str, Any]) -> Choice | None:
    """None if nobody could choose it: what is sent must be what the agent has said."""
    if len(value) > ID_MOST or not (value.isprintable() or _ODD.search(value) is None):
        return None
    name = _clean(choice.get("name"), NAME_MOST)
    described = _clean(choice.get("description"), DESCRIPTION_MOST)
    return Choice(id=value, name=name or value, description=described)


def _clean(value: Any, most: int) -> str:
    """One line of it, cut."""
    text = as_text(value)[: most * 4]
    if not text.isprintable():  # hardly any
        text = _ODD.sub(" ", text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":  # there is no other white space now
        text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
