"""The time until an agent works in a large repository, and whether others are served meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, percentile, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs
from benchmarks.prober import probing

ROUNDS = 7
WORKERS = (1, 2, 4)
"""Numbers of `checkout.workers` of which git has its best."""


def measure(lab: Lab) -> Iterator[Figure]:
    """The agent itself tells when it was started."""
    repository = lab.large_repository()
    began_at = lab.path("began")
    took, held = Pairs(), Pairs()
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program(f"date +%s.%N > {began_at}.new; mv {began_at}.new {began_at}"))
        project = daemon.project(repository)
        workers = min(WORKERS, key=lambda number: _add(lab, repository, number))
        for turn in range(1 + lab.rounds(ROUNDS)):
            plain = _add(lab, repository, workers)
            with probing(daemon.url) as idle:
                time.sleep(0.5)
            began_at.unlink(missing_ok=True)
            with probing(daemon.url) as probes:
                began = time.time()
                attempt = daemon.attempt(project)
            ours = _began(daemon, began_at) - began
            daemon.over(attempt)
            if turn:
                took.add(plain, ours)
                held.add(*(percentile(some.answers, 0.99) / 1000 for some in (idle, probes)))
    name = f"`git worktree add` with checkout.workers={workers}, its best"
    what = "a new attempt until its agent runs, 20,000 files"
    yield ratio(what, took, name=name, at_most=1.1, spare=0.03)
    what = "… other requests meanwhile, the slowest of 100"
    yield ratio(what, held, name="an idle daemon", at_most=10)


def _began(daemon: Daemon, file: Path) -> float:
    """The time at which the agent began, in seconds of the clock that all programs share."""
    daemon.until(file.exists, "the agent's start")
    return float(file.read_text())


def _add(lab: Lab, repository: Path, workers: int) -> float:
    tree = lab.path("tree")
    add = ("worktree", "add", "-q", "-b", tree.name, str(tree), "main")
    return lab.timed("git", "-c", f"checkout.workers={workers}", *add, cwd=repository)
