"""The time until a printed line is seen by a client, while twenty agents talk."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

from benchmarks import follower
from benchmarks.figures import Figure, at_most, percentile
from benchmarks.lab import Lab

AGENTS = 20
SECONDS = 8
RATE = 100

PROGRAM = f"""
import os, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
due = time.monotonic()
for _ in range({SECONDS * RATE}):
    print(time.monotonic_ns(), flush=True)
    due += {1 / RATE}
    time.sleep(max(0, due - time.monotonic()))
sys.exit(1)
"""


def measure(lab: Lab) -> Iterator[Figure]:
    """All begin at once, when the client has joined them all."""
    start = lab.path("start")
    talk = shlex.join([sys.executable, "-I", "-S", "-c", PROGRAM, str(start)])
    with lab.daemon() as daemon:
        attempts = daemon.attempts(daemon.project(lab.repository(), talk), AGENTS)
        ids = [daemon.process(attempt).id for attempt in attempts]
        paths = [f"/api/execution-processes/{id}/raw-logs/ws?batch=true" for id in ids]
        client = follower.start([daemon.socket(path) for path in paths], stamps=True)
        before = daemon.cpu()
        start.touch()
        delays = follower.result(client)["delays_ms"]
        cpu = (daemon.cpu() - before) / SECONDS
        for attempt in attempts:
            daemon.over(attempt)
    assert len(delays) == AGENTS * SECONDS * RATE, len(delays)
    what = f"a line until a client sees it, {AGENTS} agents × {RATE} lines/s"
    yield at_most(f"{what}, median", percentile(delays, 0.5), 15, "ms")
    yield at_most("… the slowest of 100 lines", percentile(delays, 0.99), 50, "ms")
    yield Figure("… processor time of the daemon meanwhile", f"{cpu * 100:.0f} % of one core")
