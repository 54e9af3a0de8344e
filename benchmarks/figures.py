"""Measured figures, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

NONE = "–"


class Figure(NamedTuple):
    """One line of the table.

    Args:
        what: the thing measured, as a user would name it.
        value: what came out, with its unit.
        baseline: what it is compared with, measured in the same run.
        promise: what has to hold.
        holds: whether it does; None for a figure that is told without a promise.
    """

    what: str
    value: str
    baseline: str = NONE
    promise: str = NONE
    holds: bool | None = None


def at_most(
    what: str, value: float, limit: float, unit: str, *, digits: int = 1, baseline: str = NONE
) -> Figure:
    """A figure that must not exceed `limit`; shown with that many digits after the point."""
    promise = f"≤ {limit:g} {unit}".rstrip()
    return Figure(what, f"{value:.{digits}f} {unit}".rstrip(), baseline, promise, value <= limit)


def compared(
    what: str, value: float, base: float, *, name: str, factor: float, spare: float = 0.0
) -> Figure:
    """A duration that may take `factor` times its baseline's, and `spare` more; all in seconds."""
    promise = f"≤ {factor:g} ×" + (f" + {spare * 1000:g} ms" if spare else "")
    measured = f"{duration(value)} ({value / base:.2f} ×)"
    holds = value <= factor * base + spare
    return Figure(what, measured, f"{name}: {duration(base)}", promise, holds)


def duration(seconds: float) -> str:
    """In the unit that reads best."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def table(figures: Sequence[Figure]) -> str:
    """All figures as a Markdown table whose columns line up as plain text too."""
    head = ("", "measured", "beside", "promise", "")
    rows = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
             for row in rows]  # fmt: skip
    lines.insert(1, "-|-".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    rating = "" if figure.holds is None else "holds" if figure.holds else "MISSED"
    return figure.what, figure.value, figure.baseline, figure.promise, rating
