"""The time until a board shows its tasks, when there are very many of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from benchmarks import bare
from benchmarks.askers import ask
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, duration, percentile, rate, ratio
from benchmarks.filling import filled
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs
from benchmarks.prober import probing

TASKS = 10_000
CLIENTS = 4
EACH = 30
ATTEMPTS = 500
ROUNDS = 5
CHANGES = 20


def measure(lab: Lab) -> Iterator[Figure]:
    daemon, projects = filled(lab, [TASKS], ATTEMPTS)
    daemon.start()
    try:
        path = f"/api/tasks?project_id={projects[0]}"
        yield from _compared_with_bare(lab, daemon, f"{daemon.url}{path}")
        yield from _changing(daemon, path)
    finally:
        daemon.stop()


def _compared_with_bare(lab: Lab, daemon: Daemon, url: str) -> Iterator[Figure]:
    """The same bytes from both, in turns."""
    file = lab.path("list")
    began = time.perf_counter()
    file.write_bytes(httpx.get(url, timeout=60).content)
    first = time.perf_counter() - began
    rates, slowest, held = Pairs(), Pairs(), Pairs()
    with bare.serving(file) as base:
        for _ in range(lab.rounds(ROUNDS)):
            both = [ask(where, CLIENTS, EACH) for where in (f"{base}/list", url)]
            rates.add(*(asked.rate for asked in both))
            slowest.add(*(percentile(asked.answers, 0.99) / 1000 for asked in both))
            # Once more with somebody who looks whether others are held up; that costs time itself.
            others = []
            for server, where in ((base, f"{base}/list"), (daemon.url, url)):
                with probing(server) as probes:
                    ask(where, CLIENTS, EACH)
                others.append(percentile(probes.answers, 0.99) / 1000)
            held.add(*others)
    name = "Hypercorn and Quart-Trio, the same bytes"
    what = f"the list of {TASKS:,} tasks, answers to {CLIENTS} clients"
    yield ratio(what, rates, name=name, at_least=0.9, show=rate)
    yield ratio("… the slowest of 100", slowest, name="the same", at_most=1.25)
    what = "… the slowest of 100 other requests meanwhile"
    yield ratio(what, held, name="the same", at_most=1.25, spare=0.002)
    yield Figure("… the first time", duration(first))


def _changing(daemon: Daemon, path: str) -> Iterator[Figure]:
    """Each time one of the many tasks has changed before, beside the same once more."""
    ids = [task["id"] for task in daemon.ask("GET", path)][:: TASKS // CHANGES]
    pairs = Pairs()
    with httpx.Client(base_url=daemon.url, timeout=60) as client:

        def asked() -> tuple[bytes, float]:
            began = time.perf_counter()
            content = client.get(path).content
            return content, time.perf_counter() - began

        with probing(daemon.url) as probes:
            for n, id in enumerate(ids):
                daemon.ask("PUT", f"/api/tasks/{id}", {"title": f"Changed {n}"})
                content, ours = asked()
                assert f'"Changed {n}"'.encode() in content
                pairs.add(asked()[1], ours)
    yield ratio(
        f"the list of {TASKS:,} tasks after one of them has changed",
        pairs,
        name="once more, unchanged",
        at_most=5,
    )
    held = percentile(probes.answers, 0.99) / 1000
    yield Figure("… the slowest of 100 other requests meanwhile", duration(held))
