"""The time until everybody knows, when a hundred clients listen to the events."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from benchmarks import bare, listeners
from benchmarks.figures import Figure, at_most, compared, percentile
from benchmarks.lab import Lab

CLIENTS = 100
EVENTS = 100
ROUNDS = 3
PAUSE_SECONDS = 0.02


def measure(lab: Lab) -> Iterator[Figure]:
    """From the moment when a client sends a change until the last listener has it."""
    file = lab.path("nothing")
    file.write_bytes(b"[]")
    with bare.serving(file) as base, lab.daemon() as daemon:
        project = daemon.project(lab.repository())
        task = daemon.task(project)
        url = f"{daemon.url}/api/events"
        first = listeners.start(url, CLIENTS)  # whatever has to grow only once grows now
        before = daemon.rss()
        second = listeners.start(url, CLIENTS)
        each = (daemon.rss() - before) / CLIENTS / 1024
        for some in (first, second):
            listeners.result(some)
        ours: list[float] = []
        plain: list[float] = []
        for _ in range(ROUNDS):
            plain += _last(f"{base}/events", f"{base}/tell")
            ours += _last(url, f"{daemon.url}/api/tasks/{task.id}")
    first_row = f"a change until the last of {CLIENTS} listeners has it, median"
    name = "Hypercorn and Quart-Trio, nothing kept"
    for what, share in ((first_row, 0.5), ("… the slowest of 100 changes", 0.99)):
        value, base_value = (percentile(some, share) / 1000 for some in (ours, plain))
        yield compared(what, value, base_value, name=name, factor=1.5, spare=0.02)
    yield at_most("memory for each listener", each, 100, "KB")


def _last(events: str, task: str) -> list[float]:
    """After how many milliseconds the last of all listeners had each change."""
    process = listeners.start(events, CLIENTS)
    with httpx.Client(timeout=60) as client:
        for _ in range(EVENTS):
            title = str(time.monotonic_ns())
            assert client.put(task, json={"title": title}).status_code == 200
            time.sleep(PAUSE_SECONDS)
    received = listeners.result(process)
    assert [len(delays) for delays in received] == [CLIENTS] * EVENTS
    return [max(delays) for delays in received]
