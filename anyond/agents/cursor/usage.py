"""Tokens and costs of a run of the Cursor agent, as far as it reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.common.carried import NOTHING, Totals
from anyond.agents.common.entry import Source
from anyond.model.entries import NormalizedEntry

_MOST = 2**53
_NAMES = {
    "input_tokens": ("inputTokens", "input_tokens"),
    "output_tokens": ("outputTokens", "output_tokens"),
    "cache_read_tokens": ("cacheReadTokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cacheWriteTokens", "cache_creation_input_tokens"),
}


class CursorUsage(Source):
    """The tokens of the run."""

    key = "usage"

    def __init__(self) -> None:
        self.model: str | None = None
        self._used = NOTHING
        self._named: str | None = None

    def learn_model(self, model: str) -> bool:
        """Take in the name of the model; whether that is news."""
        if not model or model == self.model:
            return False
        self.model = model
        return True

    def take(self, usage: Mapping[str, Any], cost: Any) -> bool:
        """Take in what the end of the turn tells; whether that is anything."""
        counts = {
            field: next((count for name in names if (count := _count(usage.get(name)))), 0)
            for field, names in _NAMES.items()
        }
        known = type(cost) in (int, float) and 0 < cost < _MOST
        if not known and not any(counts.values()):
            return False
        dollars = float(cost) if known else 0.0
        self._used, self._named = Totals(cost_usd=dollars, **counts), self.model
        return True

    def entry(self) -> NormalizedEntry:
        return self._used.entry(self._named)


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= _MOST else 0
