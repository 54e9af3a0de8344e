"""Drawing the curves from their CSV files: `python -m benchmarks.growth.drawing`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot

from benchmarks.growth.curve import Point, growths, read
from benchmarks.root import ROOT

DIRECTORY = ROOT / "docs" / "speed"
AXES = {
    "tasks": ("tasks of the project", "a task is asked for"),
    "agents": ("agents that run and wait", "a task is asked for"),
    "listeners": ("clients that hear of each change", "a task is asked for"),
    "log_megabytes": ("size of the log, MB", "the log is joined at its end"),
    "files": ("files of the repository", "the state of an attempt is asked for"),
    "attempts": ("attempts at one repository", "the state of one of them is asked for"),
    "days_of_changes": ("days of 5,000 changes each", "events are resumed near their end"),
}


def main() -> None:
    # The same figures give the same file, with nothing of the day or the machine in it.
    mpl.rcParams.update({"svg.hashsalt": "anyon", "font.size": 9})
    for name in AXES:
        path = DIRECTORY / f"{name}.csv"
        if path.exists():
            draw(name, read(path), path.with_suffix(".svg"))
            print(path.with_suffix(".svg"))


def draw(name: str, points: list[Point], path: Path) -> None:
    """Two pictures beside each other: processor time, and the slowest of 100 requests."""
    what, reading = AXES[name]
    xs = [point.x for point in points]
    found = growths(points)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for label, cpu, slow in (
        (reading, "read_cpu_us", "read_p99_ms"),
        ("a task is changed", "write_cpu_us", "write_p99_ms"),
    ):
        word = f"{label}: {found[cpu].word}"
        left.plot(xs, [getattr(point, cpu) for point in points], marker="o", label=word)
        right.plot(xs, [getattr(point, slow) for point in points], marker="o", label=label)
    left.set_ylabel("processor time of the daemon, µs")
    right.set_ylabel("slowest of 100, ms")
    for side in (left, right):
        side.set_xscale("log")
        side.set_yscale("log")
        side.set_xlabel(what)
        side.grid(visible=True, which="major", alpha=0.3)
    left.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    main()
