"""The cost and the delay of a line, while many agents write, beside `cat` and one reader."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import cost, follower, pipes
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, percentile, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs

SECONDS = 8
ROUNDS = 3
LINGER_S = 4
"""So long an agent lives after its last line, so that its shim can be asked what it has cost."""

PROGRAM = f"""
import os, sys, time
path, rate = sys.argv[1], int(sys.argv[2])
while not os.path.exists(path):
    time.sleep(0.02)
due = time.monotonic()
for _ in range({SECONDS} * rate):
    print(time.monotonic_ns(), flush=True)
    due += 1 / rate
    time.sleep(max(0, due - time.monotonic()))
time.sleep({LINGER_S})
sys.exit(1)
"""


class Crowd(NamedTuple):
    """So many agents, each of which writes so many lines a second; what a line may cost.

    Args:
        factor: the processor time of the daemon, as a multiple of that of `cat` and the reader.
        share: that of the daemon, as a share of one core; None for no such promise.
    """

    agents: int
    rate: int
    factor: float | None
    share: float | None


FEW = Crowd(20, 100, 2.0, None)
MANY = Crowd(200, 10, None, 0.3)


class Cost(NamedTuple):
    """Milliseconds of delay, and seconds of processor time, of all lines."""

    delays: list[float]
    daemon: float
    shims: float


def measure(lab: Lab) -> Iterator[Figure]:
    for crowd in (FEW, MANY):
        yield from _crowd(lab, crowd)


def _crowd(lab: Lab, crowd: Crowd) -> Iterator[Figure]:
    """Rounds of both; all agents of one begin at once, when the client has joined them all."""
    lines = crowd.agents * crowd.rate * SECONDS
    daemons, shims, medians, slowest = Pairs(), Pairs(), Pairs(), Pairs()
    for _ in range(lab.rounds(ROUNDS)):
        plain = _through_pipes(lab, crowd)
        with lab.daemon() as daemon:
            ours = _through_a_daemon(lab, daemon, crowd)
        assert len(plain.delays) == len(ours.delays) == lines, (len(plain.delays), lines)
        daemons.add(plain.daemon / lines, ours.daemon / lines)
        shims.add(plain.daemon / lines, ours.shims / lines)
        for pairs, share in ((medians, 0.5), (slowest, 0.99)):
            pairs.add(*(percentile(one.delays, share) / 1000 for one in (plain, ours)))
    name = "through `cat` to one reader"
    what = f"a line of {crowd.agents} agents × {crowd.rate} lines/s, processor time of the daemon"
    figure = ratio(what, daemons, name=name, at_most=crowd.factor)
    if crowd.share is not None:
        used = daemons.ratios().middle and min(daemons.ours) * lines / SECONDS
        figure = figure._replace(
            value=f"{used:.0%} of one core",
            promise=f"≤ {crowd.share:.0%} of one core",
            holds=used <= crowd.share,
        )
    yield figure
    yield ratio("… of its shims", shims, name="the same", at_most=None)
    what = "… until a client sees it, median"
    yield ratio(what, medians, name="the same", at_most=1, spare=0.01)
    yield ratio("… the slowest of 100 lines", slowest, name="the same", at_most=1, spare=0.05)


def _argv(start: object, crowd: Crowd) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", PROGRAM, str(start), str(crowd.rate)]


def _through_pipes(lab: Lab, crowd: Crowd) -> Cost:
    start = lab.path("start")
    reader = pipes.start(_argv(start, crowd), crowd.agents)
    time.sleep(1)  # until all of them wait
    start.touch()
    found = pipes.result(reader)
    return Cost(found["delays_ms"], found["cpu"], 0.0)


def _through_a_daemon(lab: Lab, daemon: Daemon, crowd: Crowd) -> Cost:
    start = lab.path("start")
    talk = shlex.join(_argv(start, crowd))
    attempts = daemon.attempts(daemon.project(lab.repository(), talk), crowd.agents)
    ids = [daemon.process(attempt).id for attempt in attempts]
    paths = [f"/api/execution-processes/{id}/raw-logs/ws?batch=true" for id in ids]
    client = follower.start([daemon.socket(path) for path in paths], stamps=True)
    shims = [shim.pid for shim in daemon.shims()]
    cost.at_rest(daemon.pid)
    before = daemon.cpu(), cost.cpu(*shims)
    start.touch()
    time.sleep(SECONDS + LINGER_S / 2)
    after = daemon.cpu(), cost.cpu(*shims)
    delays = follower.result(client)["delays_ms"]
    for attempt in attempts:
        daemon.over(attempt)
    return Cost(delays, after[0] - before[0], after[1] - before[1])
