"""How soon everybody knows, when a hundred clients listen to the events."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import listeners
from benchmarks.figures import Figure, at_most, percentile
from benchmarks.lab import Lab

CLIENTS = 100
EVENTS = 200
PAUSE_SECONDS = 0.02


def measure(lab: Lab) -> Iterator[Figure]:
    """From the moment when a client sends a change until the last listener has it."""
    with lab.daemon() as daemon:
        project = daemon.project(lab.repository())
        task = daemon.ask("POST", "/api/tasks", {"project_id": project["id"], "title": "T"})
        url = f"{daemon.url}/api/events"
        first = listeners.start(url, CLIENTS)  # whatever has to grow only once grows now
        before = daemon.rss()
        second = listeners.start(url, CLIENTS)
        each = (daemon.rss() - before) / CLIENTS / 1024
        listeners.result(second)
        for _ in range(EVENTS):
            title = str(time.monotonic_ns())
            daemon.ask("PUT", f"/api/tasks/{task['id']}", {"title": title})
            time.sleep(PAUSE_SECONDS)
        heard = listeners.result(first)
    assert [len(delays) for delays in heard] == [CLIENTS] * EVENTS
    last = [max(delays) for delays in heard]
    what = f"a change until the last of {CLIENTS} listeners has it, median"
    yield at_most(what, percentile(last, 0.5), 25, "ms")
    yield at_most("… the slowest of 100 changes", percentile(last, 0.99), 50, "ms")
    yield at_most("memory for each listener", each, 100, "KB")
