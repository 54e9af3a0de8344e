"""Token counts of a turn, wherever agents report them, and the totals of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from anyond.agents.acp.session.quirks import Quirks
from anyond.agents.acp.session.selectors import selectors
from anyond.agents.common.carried import NOTHING, Totals
from anyond.agents.json_rpc.jsonrpc import as_dict, as_int, as_list, as_text
from anyond.model.entries import NormalizedEntry

_NAMES = (
    ("inputTokens", "input_tokens"),
    ("outputTokens", "output_tokens"),
    ("cachedReadTokens", "cached_read_tokens"),
    ("cachedWriteTokens", "cached_write_tokens"),
)
_TOTALS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_Counts = tuple[int, ...]
_NONE: _Counts = (0, 0, 0, 0)


def _counts(data: Mapping[str, Any]) -> _Counts:
    if not data:
        return _NONE
    return tuple(max(0, as_int(data.get(a)) or as_int(data.get(b))) for a, b in _NAMES)


def _sum(one: _Counts, other: _Counts) -> _Counts:
    return tuple(a + b for a, b in zip(one, other, strict=True))


class Usage:
    """The tokens of a run so far.

    Args:
        before: what the session had used before this run, as the agent told it; None if it is
            not known.

    Attributes:
        totals: what the session has used in all, as the agent reports it; None if it does not.
        model: the id or the name of the model, once it is known.
    """

    def __init__(self, before: Totals | None = None) -> None:
        self._before = before or NOTHING
        self._tokens_known = self._cost_known = False
        self._turns = _NONE
        self._calls = _NONE
        self._cost = 0.0
        self.totals: Totals | None = None
        self.model: str | None = None

    def learn_model(self, data: Mapping[str, Any], by_name: bool) -> None:
        """Take in which model a session uses, where the agent tells it.

        Args:
            by_name: this agent has ids of its own for models; their names are the usual ones.
        """
        current = as_text(as_dict(data.get("models")).get("currentModelId"))
        for selector in selectors("model", data):
            current = selector.current or current
            if by_name and current in selector.choices:
                current = as_text(selector.choices[current].get("name")) or current
        self.model = current or self.model

    def call(self, data: Mapping[str, Any]) -> bool:
        """Add one call of the model within the turn; whether that told anything."""
        counts = _counts(data)
        self._calls = _sum(self._calls, counts)
        return counts != _NONE

    def cost(self, data: Mapping[str, Any]) -> bool:
        """Take in the cost of the session so far; whether that told anything.

        Some agents go on counting in a session that is resumed, others begin anew: what it had
        cost before is taken away if what is told first can be that and more.
        """
        amount = data.get("amount")
        if not isinstance(amount, int | float) or isinstance(amount, bool):
            return False
        if data.get("currency", "USD") != "USD":
            return False
        total = max(0.0, float(amount))
        if not self._cost_known and total < self._before.cost_usd - 1e-9:
            self._before = NOTHING
        self._cost_known = True
        self.totals = replace(self.totals or self._before, cost_usd=total)
        self._cost = max(0.0, total - self._before.cost_usd)
        return self._cost > 1e-9

    def begins_anew(self) -> None:
        """The session is another one: nothing was used in it before this run."""
        self._before = NOTHING

    def turn(self, result: Mapping[str, Any], quirks: Quirks) -> bool:
        """Close a turn with the result of its prompt; whether there is anything to show.

        Args:
            quirks: what the agent tells the sum of.
        """
        meta = as_dict(result.get("_meta"))
        quota = as_dict(meta.get("quota"))
        for place in (result.get("usage"), quota.get("token_count"), meta.get("usage")):
            counts = _counts(as_dict(place))
            if counts != _NONE:
                # The sum of the turn: the calls are in it.
                if quirks.session_usage:
                    self._turns = self._of_this_run(counts)
                else:
                    self._turns = counts if quirks.cumulative_usage else _sum(self._turns, counts)
                self._calls = _NONE
                break
        for used in map(as_dict, as_list(quota.get("model_usage"))):
            self.model = as_text(used.get("model")) or self.model
        self._turns = _sum(self._turns, self._calls)
        self._calls = _NONE
        return self._turns != _NONE or self._cost > 1e-9

    def _of_this_run(self, counts: _Counts) -> _Counts:
        """The tokens of a session without those of earlier runs."""
        before = self._before.counts
        if not self._tokens_known and any(
            now < old for now, old in zip(counts, before, strict=True)
        ):
            self._before = replace(self._before, **dict(zip(_TOTALS, _NONE, strict=True)))
        self._tokens_known = True
        self.totals = replace(
            self.totals or self._before, **dict(zip(_TOTALS, counts, strict=True))
        )
        pairs = zip(counts, self._before.counts, strict=True)
        return tuple(max(0, now - old) for now, old in pairs)

    def unanswered(self, result: Mapping[str, Any]) -> bool:
        """Return whether the result of a prompt tells its tokens, and that there were none at
        all.
        """
        data = as_dict(as_dict(as_dict(result.get("_meta")).get("quota")).get("token_count"))
        return bool(data) and _counts(data) == _NONE

    def entry(self) -> NormalizedEntry:
        """The numbers as of now."""
        tokens_in, tokens_out, read, written = _sum(self._turns, self._calls)
        used = Totals(
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cache_read_tokens=read,
            cache_write_tokens=written,
            cost_usd=self._cost,
        )
        return used.entry(self.model)
