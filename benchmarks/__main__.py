"""The figures that are measured, their order, and the consequence of a missed promise."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks import (
    comparing,
    flooding,
    holding,
    joining,
    latency,
    listening,
    listing,
    output,
    polling,
    reading,
    resting,
    searching,
    starting,
    wire_format,
    writing,
)
from benchmarks.figures import Figure, table
from benchmarks.lab import Lab

CHAPTERS: dict[str, Callable[[Lab], Iterator[Figure]]] = {
    "output": output.measure,
    "reading": reading.measure,
    "latency": latency.measure,
    "joining": joining.measure,
    "wire_format": wire_format.measure,
    "starting": starting.measure,
    "comparing": comparing.measure,
    "searching": searching.measure,
    "listing": listing.measure,
    "holding": holding.measure,
    "flooding": flooding.measure,
    "listening": listening.measure,
    "polling": polling.measure,
    "writing": writing.measure,
    "resting": resting.measure,
}


def main() -> int:
    """Measure, and print one table. 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHAPTERS, help="repeatable")
    chosen = parser.parse_args().only or list(CHAPTERS)
    figures: list[Figure] = []
    before = _busy()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the lab is cleared even then
    with Lab.open() as lab:
        for name in chosen:
            began = time.monotonic()
            figures += CHAPTERS[name](lab)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(figures))
    print(f"\n{os.cpu_count()} cores; busy before and after: {before:.1f}, {_busy():.1f}")
    return 1 if any(figure.holds is False for figure in figures) else 0


def _busy() -> float:
    """Return the number of processes that want to run, on average of the last minute."""
    return os.getloadavg()[0]


if __name__ == "__main__":
    sys.exit(main())
