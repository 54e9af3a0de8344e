"""Measured figures, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple

from benchmarks import busy
from benchmarks.busy import CALM, Load
from benchmarks.pairs import Pairs, spread

NONE = "–"


class Figure(NamedTuple):
    """One line of the table.

    Args:
        what: the thing measured, as a user would name it.
        value: what came out, with its unit; it promises nothing.
        baseline: what it is compared with, measured in the same run.
        promise: what has to hold.
        holds: whether it does; None for a figure that is told without a promise.
        ratio: how many times its baseline it is: the median of all pairs, and their quartiles.
        noise: how far the quartiles of the baseline are apart, as a share of its median.
        load: what others took of the machine meanwhile.
    """

    what: str
    value: str
    baseline: str = NONE
    promise: str = NONE
    holds: bool | None = None
    ratio: str = NONE
    noise: float = 0.0
    load: Load = CALM

    @property
    def busy(self) -> str | None:
        """The reason why this one is not judged, if it is not."""
        return None if self.holds is None else busy.reason(self.load, self.noise)

    @property
    def missed(self) -> bool:
        """True if a promise is not kept, on a machine that was calm enough to say so."""
        return self.holds is False and self.busy is None


def ratio(
    what: str,
    pairs: Pairs,
    *,
    name: str,
    at_most: float | None = None,
    at_least: float | None = None,
    spare: float = 0.0,
    show: Callable[[float], str] | None = None,
) -> Figure:
    """A figure that may be so many times its baseline; of two limits at most one is given.

    Args:
        name: the baseline, as a user would name it.
        at_most: so many times the baseline it may be; for durations, memory, processor time.
        at_least: so many times the baseline it must be; for rates.
        spare: what it may be beyond that, in the unit of the pairs.
        show: a value in its unit; durations in seconds if none is given.
    """
    show = show or duration
    plain, judged = pairs.ratios(), pairs.ratios(spare)
    promise, holds = NONE, None
    if at_most is not None:
        promise = f"≤ {at_most:g} ×" + (f" + {show(spare)}" if spare else "")
        holds = judged.middle <= at_most
    elif at_least is not None:
        promise, holds = f"≥ {at_least:g} ×", judged.middle >= at_least
    ours, base = spread(pairs.ours), spread(pairs.base)
    return Figure(
        what,
        show(ours.middle),
        f"{name}: {show(base.middle)}",
        promise,
        holds,
        f"{plain.middle:.2f} × ({plain.low:.2f} to {plain.high:.2f})",
        base.relative,
    )


def duration(seconds: float) -> str:
    """In the unit that reads best."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.1f} µs"


def size(count: float) -> str:
    """Bytes, in the unit that reads best."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def rate(count: float) -> str:
    """So many a second."""
    return f"{count:,.0f}/s"


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def table(figures: Sequence[Figure]) -> str:
    """All figures as a Markdown table whose columns line up as plain text too."""
    head = ("", "times its baseline", "promise", "", "measured", "beside")
    rows = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
             for row in rows]  # fmt: skip
    lines.insert(1, "-|-".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def judgement(figures: Sequence[Figure]) -> str:
    """The number of promises that hold and are missed, and what was not judged and why."""
    promises = [figure for figure in figures if figure.holds is not None]
    calm = [figure for figure in promises if figure.busy is None]
    missed = sum(figure.missed for figure in figures)
    lines = [f"{len(calm) - missed} promises hold, {missed} are missed."]
    if len(calm) < len(promises):
        count = len(promises) - len(calm)
        lines.append(f"This machine is too busy to judge {count} more, which fail nothing:")
        lines += [f"  {figure.what}: {figure.busy}" for figure in promises if figure.busy]
    return "\n".join(lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    rating = "" if figure.holds is None else "holds" if figure.holds else "MISSED"
    if figure.busy:
        rating = f"too busy ({rating.lower()})"
    return figure.what, figure.ratio, figure.promise, rating, figure.value, figure.baseline
