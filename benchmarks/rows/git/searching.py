"""The time until the files of a large, old repository are found while somebody types."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figures import Figure, at_most, duration, percentile
from benchmarks.lab import FILES, Lab

COMMITS = 5000
ROUNDS = 20
TEXTS = ("file0", "piece1", "part", "part03/", "e", "file19999.py", "nothing")


def measure(lab: Lab) -> Iterator[Figure]:
    """Every text again and again, and once after a commit."""
    repository = lab.old_repository(COMMITS)
    with lab.daemon() as daemon:
        project = daemon.project(repository)
        path = f"/api/projects/{project.id}/search?q="

        def asked(text: str) -> float:
            began = time.perf_counter()
            daemon.ask("GET", path + text)
            return time.perf_counter() - began

        cold = asked(TEXTS[0])
        warm = [asked(text) * 1000 for _ in range(ROUNDS) for text in TEXTS]
        lab.run("git", "commit", "-q", "--allow-empty", "-m", "One more", cwd=repository)
        fresh = asked(TEXTS[0])
    what = f"files found in {FILES:,}, {COMMITS:,} commits"
    yield at_most(f"{what}, median", percentile(warm, 0.5), 50, "ms")
    yield at_most("… the slowest of 20 searches", percentile(warm, 0.95), 50, "ms")
    yield Figure("… the first search of all", duration(cold))
    yield Figure("… the first after a commit", duration(fresh))
