"""Measuring the curves, each into a CSV file, and judging how they grow."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.busy import Load, Watch
from benchmarks.growth import repositories, rows, work
from benchmarks.growth.curve import Point, growths, write
from benchmarks.lab import Lab
from benchmarks.root import ROOT

DIRECTORY = ROOT / "docs" / "speed"


class Axis(NamedTuple):
    """A thing that grows.

    Args:
        measure: the points at so many sizes.
        sizes: as far as two slow cores come within minutes.
        most: as far as it is meant to go.
    """

    measure: Callable[[Lab, Sequence[int]], Iterator[Point]]
    sizes: tuple[int, ...]
    most: int


CURVES = {
    "tasks": Axis(rows.tasks, (10, 100, 1_000, 10_000, 100_000), 100_000),
    "agents": Axis(work.agents, (1, 10, 50, 100, 200), 200),
    "listeners": Axis(work.listening, (1, 10, 100, 300, 1_000), 1_000),
    "log_megabytes": Axis(work.logs, (1, 10, 100, 1_000), 10_000),
    "files": Axis(repositories.files, (100, 1_000, 10_000, 50_000), 200_000),
    "attempts": Axis(repositories.attempts, (1, 10, 50, 100, 200), 1_000),
    "days_of_changes": Axis(rows.days, (1, 3, 10, 30), 30),
}


def main() -> int:
    """Measure, and print how each curve grows. 1 if one is worse than linear."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the lab is cleared even then
    worse = False
    for name in options.curves or CURVES:
        axis = CURVES[name]
        sizes = sorted(set(getattr(options, name) or axis.sizes))
        began = time.monotonic()
        with Lab.open() as lab:
            watch = Watch(lab.root)
            points = list(axis.measure(lab, sizes))
            load = watch.load()
        options.directory.mkdir(parents=True, exist_ok=True)
        write(options.directory / f"{name}.csv", points)
        _tell(name, axis, points, load, time.monotonic() - began)
        worse |= any(
            found.word == "worse than linear" and field.endswith("_us")
            for field, found in growths(points).items()
        )
    return 1 if worse else 0


def _tell(name: str, axis: Axis, points: list[Point], load: Load, took: float) -> None:
    far = "" if points[-1].x >= axis.most else f"; not measured up to {axis.most:,}"
    print(
        f"{name}, {points[0].x:,.0f} to {points[-1].x:,.0f}{far}: {took:.0f} s; others took"
        f" {load.others:.0%} of the processors"
    )
    for field, found in growths(points).items():
        print(f"  {field}: {found.word} (x^{found.exponent:.2f})", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-growth ARGS=...", description=__doc__)
    parser.add_argument("--curves", nargs="*", choices=CURVES, help="some of them")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where the CSV files go")
    for name, axis in CURVES.items():
        sizes = ",".join(str(size) for size in axis.sizes)
        text = f"sizes; {sizes} if none are given, at most {axis.most}"
        parser.add_argument(f"--{name.replace('_', '-')}", type=_sizes, help=text)
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    """Numbers with commas between them, at least two."""
    sizes = sorted({int(word) for word in text.split(",")})
    if len(sizes) < 2 or sizes[0] < 1:
        raise argparse.ArgumentTypeError("a curve needs two sizes, each at least 1")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
