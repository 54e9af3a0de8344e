"""Facts that a run of an agent leaves for later runs of its attempt."""

from __future__ import annotations

from msgspec import Struct

from anyond.model.entries import NormalizedEntry, TokenUsage


class Totals(Struct, frozen=True, kw_only=True):
    """The totals of a session, as its agent reports them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0

    def includes(self, other: Totals) -> bool:
        """Return whether `other` can be a part of it."""
        pairs = zip(self.counts, other.counts, strict=True)
        # Sums of the same dollars differ in their last digits.
        return all(a >= b for a, b in pairs) and self.cost_usd >= other.cost_usd - 1e-9

    def minus(self, other: Totals) -> Totals:
        """Return the rest of it without `other`, which it includes."""
        tokens_in, out, read, written = (
            a - b for a, b in zip(self.counts, other.counts, strict=True)
        )
        return Totals(
            input_tokens=tokens_in,
            output_tokens=out,
            cache_read_tokens=read,
            cache_write_tokens=written,
            cost_usd=max(0.0, self.cost_usd - other.cost_usd),
        )

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """The tokens: in, out, read from a cache, written to one."""
        cached = (self.cache_read_tokens, self.cache_write_tokens)
        return (self.input_tokens, self.output_tokens, *cached)

    def entry(self, model: str | None) -> NormalizedEntry:
        """Return the entry that shows it; nobody shows totals of nothing."""
        parts = []
        if self.input_tokens or self.output_tokens:
            parts.append(f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out")
        elif any(self.counts):
            parts.append(f"{self.cache_read_tokens + self.cache_write_tokens:,} tokens cached")
        if self.cost_usd:
            parts.append(f"${self.cost_usd:.4f}")
        usage = TokenUsage(
            model=model,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens,
            cost_usd=self.cost_usd or None,
        )
        return NormalizedEntry(entry_type=usage, content=", ".join(parts))


NOTHING = Totals()


class Carried(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts that earlier runs of an attempt leave for the next one.

    Args:
        used: what its session has used in all, as the agent told it last; None if it tells none.
        notices: what the program has told of itself, as `notices.notice_key` makes it.
    """

    used: Totals | None = None
    notices: tuple[str, ...] = ()


NOTHING_CARRIED = Carried()
