"""A curve: its points as CSV, and how fast it grows by them."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FLAT = 0.2
LINEAR = 1.15
GROWN = 1.5
"""So many times the cost of the smallest size is more than noise."""
FIELDS = ("x", "read_cpu_us", "read_p99_ms", "write_cpu_us", "write_p99_ms")


class Point(NamedTuple):
    """A size, and what small requests cost there.

    Args:
        x: the size.
        read_cpu_us: microseconds of the daemon's processor for a request that reads.
        read_p99_ms: the milliseconds that the slowest of 100 of them took.
        write_cpu_us: as for reading, of a request that changes a task.
        write_p99_ms: likewise.
    """

    x: float
    read_cpu_us: float
    read_p99_ms: float
    write_cpu_us: float
    write_p99_ms: float


class Growth(NamedTuple):
    """The exponent of a power of x, and in a word what it means."""

    exponent: float
    word: str


def write(path: Path, points: Sequence[Point]) -> None:
    """Write the points of a curve, the names of their fields before them."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(FIELDS)
        rows.writerows([f"{value:g}" for value in point] for point in points)


def read(path: Path) -> list[Point]:
    """The points of a file that `write` made.

    Raises:
        ValueError: it is none.
    """
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0]) != FIELDS:
        raise ValueError(f"{path} does not begin with {','.join(FIELDS)}")
    return [Point(*map(float, row)) for row in rows[1:]]


def growth(xs: Sequence[float], ys: Sequence[float]) -> Growth:
    """The growth of `ys` with `xs`.

    What costs the same at every size hides what grows with it. So the exponent is fitted to what is
    added to the cost of the smallest size, where that is more than noise at two sizes at least; and
    else to the three largest sizes as they are.

    Raises:
        ValueError: there are fewer than two sizes.
    """
    pairs = sorted(zip(xs, ys, strict=True))
    base = pairs[0][1]
    added = [(x, y - base) for x, y in pairs if y > GROWN * base]
    chosen = added if len(added) > 1 else pairs[-3:]
    exponent = fitted([x for x, _ in chosen], [y for _, y in chosen])
    if exponent <= FLAT:
        return Growth(exponent, "flat")
    return Growth(exponent, "linear" if exponent <= LINEAR else "worse than linear")


def fitted(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The exponent k for which y = a·x^k is nearest, by least squares of the logarithms.

    Args:
        xs: more than 0, at least two of them different.
        ys: what is not more than 0 counts as the least that can be measured.

    Raises:
        ValueError: all sizes are the same.
    """
    floor = min((y for y in ys if y > 0), default=1.0)
    lx, ly = [math.log(x) for x in xs], [math.log(max(y, floor)) for y in ys]
    mean_x, mean_y = sum(lx) / len(lx), sum(ly) / len(ly)
    across = sum((x - mean_x) ** 2 for x in lx)
    if not across:
        raise ValueError("a curve needs two sizes")
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(lx, ly, strict=True)) / across


def growths(points: Sequence[Point]) -> dict[str, Growth]:
    """The growth of each field; the p99 of a few hundred requests is told, and not judged."""
    xs = [point.x for point in points]
    return {
        name: growth(xs, [point[n] for point in points])
        for n, name in enumerate(FIELDS)
        if n and len(points) > 1
    }
