"""The cost of clients that ask for the state of each open attempt again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from benchmarks.figures import Figure, duration, middle, percentile, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs
from benchmarks.prober import probing

ATTEMPTS = 100
CLIENTS = 4
ROUNDS = 3


def measure(lab: Lab) -> Iterator[Figure]:
    """One after the other beside git itself, and then by several clients at once."""
    pairs, held = Pairs(), Pairs()
    whole: list[float] = []
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; echo more >> README.md; exit 1"))
        attempts = daemon.attempts(daemon.project(lab.repository()), ATTEMPTS)
        for attempt in attempts:
            daemon.over(attempt)
        paths = [f"/api/task-attempts/{attempt.id}/branch-status" for attempt in attempts]

        def asked(path: str) -> float:
            began = time.perf_counter()
            assert daemon.ask("GET", path)["uncommitted_count"] == 1
            return time.perf_counter() - began

        def client(part: int) -> None:
            with httpx.Client(base_url=daemon.url, timeout=60) as http:
                for path in paths[part::CLIENTS]:
                    assert http.get(path).status_code == 200

        for _ in range(lab.rounds(ROUNDS)):
            for attempt, path in zip(attempts, paths, strict=True):
                tree = Path(attempt.container_ref or "")
                pairs.add(lab.timed("git", "status", cwd=tree), asked(path))
        for _ in range(lab.rounds(ROUNDS)):
            with probing(daemon.url) as idle:
                time.sleep(1)
            with probing(daemon.url) as probes, ThreadPoolExecutor(CLIENTS) as pool:
                began = time.perf_counter()
                list(pool.map(client, range(CLIENTS)))
                whole.append(time.perf_counter() - began)
            held.add(*(percentile(some.answers, 0.99) / 1000 for some in (idle, probes)))
    what = f"branch-status, {ATTEMPTS} open attempts"
    yield ratio(what, pairs, name="`git status`", at_most=1.5, spare=0.03)
    yield Figure(f"… of all of them, {CLIENTS} clients", duration(middle(whole)))
    what = "… the slowest of 100 other requests"
    yield ratio(what, held, name="an idle daemon", at_most=10)
