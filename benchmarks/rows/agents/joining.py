"""The time until a client is at the end of a log of 1 GB, and the daemon's cost of that."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from benchmarks.figures import Figure, at_most, middle
from benchmarks.lab import Lab
from benchmarks.websocket import WebSocket

BYTES = 1_000_000_000
ROUNDS = 11


def measure(lab: Lab) -> Iterator[Figure]:
    """A program says 1 GB; when it is over, clients ask for what came after the last but one."""
    talk = f"yes 'a line of a log that is much too long' | head -c {BYTES}; exit 1"
    took: list[float] = []
    with lab.daemon() as daemon:
        attempt = daemon.attempt(daemon.project(lab.repository(), talk))
        process = daemon.process(attempt)
        daemon.over(attempt)
        spool = daemon.root / "data" / "executions" / process.id
        assert (spool / "log").stat().st_size > BYTES
        frames = (spool / "log.idx").stat().st_size // 8
        path = f"/api/execution-processes/{process.id}/raw-logs/ws?after={frames - 2}"
        before = daemon.rss()
        for _ in range(ROUNDS):
            began = time.perf_counter()
            client = WebSocket(daemon.socket(path))
            first = client.wait()[0]
            took.append((time.perf_counter() - began) * 1000)
            client.close()
            assert msgspec.json.decode(first)["seq"] == frames - 1, first[:200]
        grown = (daemon.rss() - before) / 2**20
    yield at_most("joining a log of 1 GB at its end, first frame", middle(took), 50, "ms")
    yield at_most("… growth of the daemon's memory", grown, 10, "MB")
