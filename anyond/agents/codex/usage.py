"""Adding up the tokens that Codex counts for each thread to those of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.common.carried import Totals
from anyond.agents.common.entry import Source
from anyond.agents.json_rpc.jsonrpc import as_dict, as_int
from anyond.model.entries import NormalizedEntry

_NAMES = ("inputTokens", "outputTokens", "cachedInputTokens", "cacheWriteInputTokens")
_Counts = tuple[int, ...]


def _counts(usage: Mapping[str, Any]) -> _Counts:
    return tuple(max(0, as_int(usage.get(name))) for name in _NAMES)


class Usage(Source):
    """The tokens of the run so far, those of sub-agents included.

    A thread that is resumed or forked counts on from its past: what it had before the first call
    of this run is taken away. Codex counts what came from the cache among the input; here it is
    counted apart from it, as with the other agents.
    """

    key = "usage"

    def __init__(self) -> None:
        self._before: dict[str, _Counts] = {}
        self._now: dict[str, _Counts] = {}
        self.model: str | None = None

    def update(self, thread: str, usage: Mapping[str, Any]) -> bool:
        """Take in the counts of a thread; whether that changed anything."""
        total = _counts(as_dict(usage.get("total")))
        last = _counts(as_dict(usage.get("last")))
        if thread not in self._before:
            self._before[thread] = tuple(a - b for a, b in zip(total, last, strict=True))
        changed = self._now.get(thread) != total
        self._now[thread] = total
        return changed and any(self._used.counts)

    def entry(self) -> NormalizedEntry:
        return self._used.entry(self.model)

    @property
    def _used(self) -> Totals:
        sums = [0] * len(_NAMES)
        for thread, total in self._now.items():
            for place, (now, before) in enumerate(zip(total, self._before[thread], strict=True)):
                sums[place] += max(0, now - before)
        all_in, tokens_out, read, written = sums
        tokens_in = max(0, all_in - read - written)
        return Totals(
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cache_read_tokens=read,
            cache_write_tokens=written,
        )
