"""Small requests, one after the other, and what each costs the daemon."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import psutil

from benchmarks.daemon import Daemon
from benchmarks.figures import percentile
from benchmarks.growth.curve import Point

REQUESTS = 200
WARM = 20


def point(daemon: Daemon, x: float, read: Callable[[httpx.Client], object], task: str) -> Point:
    """The cost of reading, and of changing a task, at this size.

    Args:
        read: asks once for what belongs to the thing that grows.
        task: the id of the task that is changed.
    """
    with httpx.Client(base_url=daemon.url, timeout=120) as client:
        reading = _measured(daemon, lambda: read(client))
        count = iter(range(10**9))

        def write() -> None:
            answer = client.put(f"/api/tasks/{task}", json={"title": f"Title {next(count)}"})
            assert answer.status_code == 200, answer.text

        return Point(x, *reading, *_measured(daemon, write))


def get(path: str) -> Callable[[httpx.Client], object]:
    """A request for a path, which must succeed."""

    def ask(client: httpx.Client) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text

    return ask


def _measured(daemon: Daemon, act: Callable[[], object]) -> tuple[float, float]:
    """Microseconds of the processor, of daemon and git; milliseconds of the slowest of 100."""
    for _ in range(WARM):
        act()
    took = []
    before = _cpu(daemon)
    for _ in range(REQUESTS):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    return (_cpu(daemon) - before) / REQUESTS * 1e6, percentile(took, 0.99)


def _cpu(daemon: Daemon) -> float:
    """Seconds, with those of children that have ended."""
    times = psutil.Process(daemon.pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
