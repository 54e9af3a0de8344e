"""The cost of the daemon when nothing happens, and for each thing it looks after."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks import bare, cost
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, ratio, size
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs

ROUNDS = 3
SETTLE_SECONDS = 12
"""Worker threads of the start that find nothing more to do end after ten seconds."""
IDLE_SECONDS = 10
FILLING = 250
FINISHED = 200
RUNNING = 10
SLEEPER = "import time; time.sleep(1000)"


def measure(lab: Lab) -> Iterator[Figure]:
    memory, woken = Pairs(), Pairs()
    for _ in range(lab.rounds(ROUNDS)):
        _idle(lab, memory, woken)
    name = "Hypercorn and Quart-Trio, idle"
    yield ratio("memory, idle", memory, name=name, at_most=1.15, show=size)
    ours, plain = max(woken.ours), max(woken.base)
    yield Figure(
        f"wake-ups in {IDLE_SECONDS} s, idle",
        f"{ours:.0f}",
        f"the same: {plain:.0f}",
        "0",
        ours == 0,
    )
    with lab.daemon() as daemon:
        yield ratio(
            "memory for each finished attempt",
            _finished(lab, daemon),
            name="its rows in the database",
            at_most=2,
            show=size,
        )
        yield ratio(
            "memory for each running program",
            _running(lab, daemon),
            name="a Python that only sleeps",
            at_most=1.5,
            show=size,
        )


def _idle(lab: Lab, memory: Pairs, woken: Pairs) -> None:
    """Both at once: neither does anything."""
    file = lab.path("nothing")
    file.write_bytes(b"[]")
    with bare.running(file) as server, lab.daemon() as daemon:
        for url in (server.url, daemon.url):
            assert cost.answers(url)
        time.sleep(SETTLE_SECONDS)
        memory.add(cost.rss(server.pid), daemon.rss())
        before = [cost.wakeups(pid) for pid in (server.pid, daemon.pid)]
        time.sleep(IDLE_SECONDS)
        after = [cost.wakeups(pid) for pid in (server.pid, daemon.pid)]
        plain, ours = (cost.woken(*both) for both in zip(before, after, strict=True))
        woken.add(plain, ours)


def _finished(lab: Lab, daemon: Daemon) -> Pairs:
    """For each attempt that ran and is over, once caches are as large as they may become."""
    daemon.use_agent(lab.program("read line; exit 1"))
    project = daemon.project(lab.repository())
    sizes: list[tuple[int, int]] = []
    for number in (FILLING, FINISHED):
        for attempt in daemon.attempts(project, number):
            daemon.over(attempt)
        files = (daemon.root / "data").glob("anyon.db*")
        sizes.append((sum(file.stat().st_size for file in files), daemon.rss()))
    rows, memory = ((sizes[1][n] - sizes[0][n]) / FINISHED for n in (0, 1))
    return Pairs([memory], [rows])


def _running(lab: Lab, daemon: Daemon) -> Pairs:
    """Shims, each beside a Python without site packages."""
    attempts = daemon.attempts(daemon.project(lab.repository(), "sleep 1000"), RUNNING)
    shims = daemon.shims()
    assert len(shims) == RUNNING, shims
    pairs = Pairs()
    for shim in shims:
        with subprocess.Popen([sys.executable, "-I", "-S", "-c", SLEEPER]) as plain:
            time.sleep(0.3)  # until it sleeps
            pairs.add(cost.rss(plain.pid), shim.memory_info().rss)
            plain.kill()
    for attempt in attempts:
        daemon.end_runs(attempt)
    return pairs
