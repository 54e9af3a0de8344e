"""The time until the files of a large, old repository are found while somebody types."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figures import Figure, duration, percentile, ratio
from benchmarks.lab import FILES, Lab
from benchmarks.pairs import Pairs

COMMITS = 5000
ROUNDS = 20
TEXTS = ("file0", "piece1", "part", "part03/", "e", "file19999.py", "nothing")


def measure(lab: Lab) -> Iterator[Figure]:
    """Every text again and again beside git, which only lists them; and once after a commit."""
    repository = lab.old_repository(COMMITS)
    with lab.daemon() as daemon:
        project = daemon.project(repository)
        path = f"/api/projects/{project.id}/search?q="

        def asked(text: str) -> float:
            began = time.perf_counter()
            daemon.ask("GET", path + text)
            return time.perf_counter() - began

        cold = asked(TEXTS[0])
        middles, slowest = Pairs(), Pairs()
        for _ in range(lab.rounds(ROUNDS)):
            plain = [lab.timed("git", "ls-files", cwd=repository) for _ in TEXTS]
            ours = [asked(text) for text in TEXTS]
            for pairs, share in ((middles, 0.5), (slowest, 1.0)):
                pairs.add(percentile(plain, share), percentile(ours, share))
        lab.run("git", "commit", "-q", "--allow-empty", "-m", "One more", cwd=repository)
        fresh = asked(TEXTS[0])
    what = f"files found in {FILES:,}, {COMMITS:,} commits"
    yield ratio(what, middles, name="`git ls-files`", at_most=1)
    yield ratio("… the slowest of seven searches", slowest, name="the same", at_most=1.5)
    yield Figure("… the first search of all", duration(cold))
    yield Figure("… the first after a commit", duration(fresh))
