"""The list of a hundred thousand tasks: whom it holds up, and what stays of it in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from benchmarks import bare, cost
from benchmarks.figures import Figure, middle, ratio, size
from benchmarks.filling import filled
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs
from benchmarks.prober import probing

TASKS = 100_000
ROUNDS = 5
BACK_S = 60.0


def measure(lab: Lab) -> Iterator[Figure]:
    """One client asks for all; another one looks how late it gets its small answers."""
    daemon, projects = filled(lab, [TASKS], 0)
    daemon.start()
    try:
        url = f"{daemon.url}/api/tasks?project_id={projects[0]}"
        cost.at_rest(daemon.pid)
        before = daemon.rss()
        file = lab.path("list")
        began = time.perf_counter()
        with probing(daemon.url) as probes:
            file.write_bytes(httpx.get(url, timeout=300).content)
        first_s, first_held = time.perf_counter() - began, max(probes.answers)
        rss = _memory_back(daemon.pid, before)
        held, took = Pairs(), Pairs()
        with bare.serving(file) as base:
            for _ in range(lab.rounds(ROUNDS)):
                (plain_held, plain), (ours_held, ours) = (
                    _asked(*where) for where in ((base, f"{base}/list"), (daemon.url, url))
                )
                held.add(plain_held, ours_held)
                took.add(plain, ours)
    finally:
        daemon.stop()
    name = "Hypercorn and Quart-Trio, the same bytes"
    yield ratio(f"the list of {TASKS:,} tasks", took, name=name)
    what = "… the slowest of all other answers meanwhile"
    yield ratio(what, held, name="the same", at_most=1, spare=0.02)
    base_held = middle(held.base)
    what = "… the same, while it is put together for the first time"
    first = Pairs([first_held / 1000], [base_held])
    yield ratio(what, first, name="the same", at_most=1, spare=0.02)
    yield Figure("… the first time", f"{first_s:.2f} s")
    what = f"… memory of the daemon, {BACK_S:.0f} s later at most"
    yield ratio(what, Pairs([rss], [before]), name="before it", at_most=1.2, show=size)


def _asked(server: str, url: str) -> tuple[float, float]:
    """Seconds of the slowest answer to another one meanwhile, and of the list."""
    with probing(server) as probes:
        began = time.perf_counter()
        assert httpx.get(url, timeout=300).status_code == 200
        took = time.perf_counter() - began
    # When the machine itself was late, it is not the server that was.
    held = max(a - max(0.0, d) for a, d in zip(*probes, strict=True))
    return max(held, 0.01) / 1000, took


def _memory_back(pid: int, before: int) -> int:
    """Bytes as soon as they are about those of before, or when it should have been so."""
    deadline = time.monotonic() + BACK_S
    while (rss := cost.rss(pid)) > before * 1.1 and time.monotonic() < deadline:
        time.sleep(1)
    return rss
