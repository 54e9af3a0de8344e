"""The time until everybody knows, when a hundred clients listen to the events."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from benchmarks import bare, cost, listeners
from benchmarks.figures import Figure, percentile, ratio, size
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs

CLIENTS = 100
EVENTS = 100
ROUNDS = 7
PAUSE_SECONDS = 0.02


def measure(lab: Lab) -> Iterator[Figure]:
    """From the moment when a client sends a change until the last listener has it."""
    file = lab.path("nothing")
    file.write_bytes(b"[]")
    middles, slowest, memory, costs = Pairs(), Pairs(), Pairs(), Pairs()
    with bare.running(file) as server, lab.daemon() as daemon:
        project = daemon.project(lab.repository())
        task = daemon.task(project)
        url = f"{daemon.url}/api/events"
        memory.add(*(_each(where, pid) for where, pid in
                     ((f"{server.url}/events", server.pid), (url, daemon.pid))))  # fmt: skip
        for turn in range(1 + lab.rounds(ROUNDS)):
            before = cost.cpu(server.pid), cost.cpu(daemon.pid)
            plain = _last(f"{server.url}/events", f"{server.url}/tell")
            ours = _last(url, f"{daemon.url}/api/tasks/{task.id}")
            if turn:
                for pairs, share in ((middles, 0.5), (slowest, 0.99)):
                    pairs.add(*(percentile(some, share) / 1000 for some in (plain, ours)))
                used = cost.cpu(server.pid) - before[0], cost.cpu(daemon.pid) - before[1]
                costs.add(*(seconds / EVENTS / CLIENTS for seconds in used))
    name = "Hypercorn and Quart-Trio, nothing kept"
    what = f"a change until the last of {CLIENTS} listeners has it"
    yield ratio(what, middles, name=name, at_most=1.2)
    yield ratio("… the slowest of 100 changes", slowest, name="the same", at_most=1.2)
    yield ratio("… processor time for each listener", costs, name="the same")
    yield ratio("memory for each listener", memory, name="the same", at_most=1.2, show=size)


def _each(url: str, pid: int) -> float:
    """Bytes of memory for each listener; whatever has to grow only once has grown before."""
    first = listeners.start(url, CLIENTS)
    before = cost.rss(pid)
    second = listeners.start(url, CLIENTS)
    each = (cost.rss(pid) - before) / CLIENTS
    for some in (first, second):
        listeners.result(some)
    return each


def _last(events: str, task: str) -> list[float]:
    """After how many milliseconds the last of all listeners had each change."""
    process = listeners.start(events, CLIENTS, EVENTS)
    with httpx.Client(timeout=60) as client:
        for _ in range(EVENTS):
            title = str(time.monotonic_ns())
            assert client.put(task, json={"title": title}).status_code == 200
            time.sleep(PAUSE_SECONDS)
    received = listeners.result(process)
    assert [len(delays) for delays in received] == [CLIENTS] * EVENTS
    return [max(delays) for delays in received]
