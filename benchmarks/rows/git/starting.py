"""The time until an agent works in a large repository, and whether others are served meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figures import Figure, at_most, compared, duration, middle, percentile
from benchmarks.lab import Lab
from benchmarks.prober import probing

ROUNDS = 5


def measure(lab: Lab) -> Iterator[Figure]:
    """The answer to the request comes when the agent's process has been started."""
    repository = lab.large_repository()
    plain: list[float] = []
    parallel: list[float] = []
    ours: list[float] = []
    answers: list[float] = []
    delays: list[float] = []
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; exit 1"))
        project = daemon.project(repository)
        for _ in range(ROUNDS):
            plain.append(_add(lab, repository))
            parallel.append(_add(lab, repository, "-c", "checkout.workers=2"))
            with probing(daemon.url) as probes:
                began = time.perf_counter()
                attempt = daemon.attempt(project)
                ours.append(time.perf_counter() - began)
            answers += probes.answers
            delays += probes.delays
            daemon.over(attempt)
    yield compared(
        "a new attempt until its agent runs, 20,000 files",
        middle(ours),
        middle(plain),
        name="`git worktree add`",
        factor=1.2,
        spare=0.06,
    )
    yield Figure(
        "… the same, beside git with checkout.workers=2",
        f"{duration(middle(ours))} ({middle(ours) / middle(parallel):.2f} ×)",
        f"`git worktree add`: {duration(middle(parallel))}",
    )
    slowest = percentile(answers, 0.99)
    late = f"a program that only sleeps: {percentile(delays, 0.99):.1f} ms late"
    what = "… other requests meanwhile, the slowest of 100"
    yield at_most(what, slowest, 20, "ms", baseline=late)


def _add(lab: Lab, repository: object, *options: str) -> float:
    tree = lab.path("tree")
    add = ("worktree", "add", "-q", "-b", tree.name, str(tree), "main")
    return lab.timed("git", *options, *add, cwd=lab.root / str(repository))
