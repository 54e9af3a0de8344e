"""Pairs of measurements, taken in turn with what they are compared with, and their ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some values, and the quartiles beside it."""

    middle: float
    low: float
    high: float

    @property
    def relative(self) -> float:
        """The distance of the quartiles, as a share of the median; 0 where all are equal."""
        return (self.high - self.low) / self.middle if self.middle else 0.0


@dataclass
class Pairs:
    """Measurements of ours, and beside each of them one of the baseline.

    A pair is taken within moments, so that both meet the same machine; ratios are formed pair by
    pair, and not of medians that may come from different minutes.
    """

    ours: list[float] = field(default_factory=list)
    base: list[float] = field(default_factory=list)

    def add(self, base: float, ours: float) -> None:
        """Another pair; the baseline is what was measured first."""
        self.base.append(base)
        self.ours.append(ours)

    def ratios(self, spare: float = 0.0) -> Spread:
        """The spread of ours as multiples of their baselines, after `spare` was taken from each.

        Raises:
            ValueError: there is no pair.
        """
        each = [
            max(0.0, ours - spare) / base for base, ours in zip(self.base, self.ours, strict=True)
        ]
        return spread(each)


def in_turns(
    base: Callable[[], float], ours: Callable[[], float], rounds: int, *, warm: int = 1
) -> Pairs:
    """Measure both in turn, so many rounds after some of which nothing is kept.

    Args:
        base: measures the baseline once.
        ours: measures ours once, in the same unit.
        warm: rounds before the first that counts, as whatever is done once is done there.
    """
    pairs = Pairs()
    for turn in range(warm + rounds):
        one, other = base(), ours()
        if turn >= warm:
            pairs.add(one, other)
    return pairs


def spread(values: Iterable[float]) -> Spread:
    """The median and the quartiles of at least one value.

    Raises:
        ValueError: there is none.
    """
    ordered: Sequence[float] = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    if len(ordered) == 1:
        return Spread(ordered[0], ordered[0], ordered[0])
    low, _, high = quantiles(ordered, n=4, method="inclusive")
    return Spread(float(median(ordered)), low, high)
