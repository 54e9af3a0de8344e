"""The rows that are measured, their order, and the consequence of a missed promise."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.busy import Watch
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, judgement, table
from benchmarks.lab import Lab
from benchmarks.profiling import Profiler
from benchmarks.root import ROOT
from benchmarks.rows.agents import flooding, joining, latency, output, reading, wire_format
from benchmarks.rows.clients import (
    holding,
    listening,
    listing,
    many_tasks,
    requests,
    writing,
)
from benchmarks.rows.git import comparing, polling, searching, starting
from benchmarks.rows.life import restart, resting, start

ROWS: dict[str, Callable[[Lab], Iterator[Figure]]] = {
    "output": output.measure,
    "reading": reading.measure,
    "latency": latency.measure,
    "joining": joining.measure,
    "wire_format": wire_format.measure,
    "starting": starting.measure,
    "comparing": comparing.measure,
    "searching": searching.measure,
    "requests": requests.measure,
    "listing": listing.measure,
    "many_tasks": many_tasks.measure,
    "holding": holding.measure,
    "flooding": flooding.measure,
    "listening": listening.measure,
    "polling": polling.measure,
    "writing": writing.measure,
    "start": start.measure,
    "restart": restart.measure,
    "resting": resting.measure,
}

IN_PROCESS = frozenset({"reading", "holding", "writing"})
"""Rows that measure in this process, so that it is the one to be sampled."""


def main() -> int:
    """Measure, and print one table. 1 if a promise is missed, on a machine that is calm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=_names, default=list(ROWS), help="some of them: a,b,c")
    parser.add_argument("--short", action="store_true", help="three rounds of each at most")
    parser.add_argument("--profile", type=Path, help="py-spy, which then draws flame graphs")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the lab is cleared even then
    profiler = Profiler(options.profile, ROOT / "build" / "profile") if options.profile else None
    Daemon.profiler = profiler
    figures: list[Figure] = []
    with Lab.open(short=options.short) as lab:
        for name in options.rows:
            if profiler is not None:
                profiler.row = name
                if name in IN_PROCESS:
                    profiler.attach(os.getpid())
            began, watch = time.monotonic(), Watch(lab.root)
            found = list(ROWS[name](lab))
            load = watch.load()
            for path in profiler.finish() if profiler is not None else ():
                print(path)
            figures += [figure._replace(load=load) for figure in found]
            print(
                f"{name}: {time.monotonic() - began:.0f} s; others took {load.others:.0%}"
                f" of the processors, the host {load.stolen:.0%}",
                file=sys.stderr,
                flush=True,
            )
        # Before the lab is cleared, which takes its time.
        print(f"{table(figures)}\n\n{judgement(figures)}", flush=True)
    return 1 if any(figure.missed for figure in figures) else 0


def _names(text: str) -> list[str]:
    """The names of rows, with commas between them."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in ROWS:
            raise argparse.ArgumentTypeError(f"{name!r} is no row; rows are {', '.join(ROWS)}")
    return names or list(ROWS)


if __name__ == "__main__":
    sys.exit(main())
