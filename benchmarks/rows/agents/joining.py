"""The time until a client is at the end of a log of 1 GB, beside that of a short one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, ratio, size
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs, in_turns
from benchmarks.websocket import WebSocket

BYTES = 1_000_000_000
SHORT = 100_000
ROUNDS = 21
GROWTH = 0.01
"""The memory that a daemon may take for a log that is joined at its end, as a share of the log."""


def measure(lab: Lab) -> Iterator[Figure]:
    """Programs say 100 KB and 1 GB; then clients ask for what came after the last but one frame."""
    with lab.daemon() as daemon:
        short, long = (_log(lab, daemon, count) for count in (SHORT, BYTES))
        before = daemon.rss()
        pairs = in_turns(
            lambda: _join(daemon, *short), lambda: _join(daemon, *long), lab.rounds(ROUNDS)
        )
        grown = max(0, daemon.rss() - before)
    what = "joining a log of 1 GB at its end, first frame"
    yield ratio(what, pairs, name="one of 100 KB", at_most=1.5)
    what = "… growth of the daemon's memory"
    yield ratio(what, Pairs([grown], [BYTES]), name="the log", at_most=GROWTH, show=size)


def _log(lab: Lab, daemon: Daemon, count: int) -> tuple[str, int]:
    """The path of the stream of a program that said so many bytes, and its last frame but one."""
    talk = f"yes 'a line of a log that is much too long' | head -c {count}; exit 1"
    attempt = daemon.attempt(daemon.project(lab.repository(), talk))
    process = daemon.process(attempt)
    daemon.over(attempt)
    spool = daemon.root / "data" / "executions" / process.id
    assert (spool / "log").stat().st_size > count
    frames = (spool / "log.idx").stat().st_size // 8
    return f"/api/execution-processes/{process.id}/raw-logs/ws?after=", frames - 2


def _join(daemon: Daemon, path: str, after: int) -> float:
    """Seconds until the first frame."""
    began = time.perf_counter()
    client = WebSocket(daemon.socket(f"{path}{after}"))
    first = client.wait()[0]
    took = time.perf_counter() - began
    client.close()
    assert msgspec.json.decode(first)["seq"] == after + 1, first[:200]
    return took
