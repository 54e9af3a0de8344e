"""The cost of programs: processor time, memory, and how often they were woken."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def cpu(*pids: int) -> float:
    """Seconds of user and system time of these processes so far; of those that are there."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total


def rss(pid: int) -> int:
    """Bytes of memory that a process has now."""
    return int(psutil.Process(pid).memory_info().rss)


def wakeups(pid: int) -> dict[str, int]:
    """Return how often each thread of a process (elsewhere: all of it) has gone to sleep so far."""
    if not sys.platform.startswith("linux"):
        return {"": int(psutil.Process(pid).num_ctx_switches().voluntary)}
    found: dict[str, int] = {}
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        found[status.parent.name] = int(fields["voluntary_ctxt_switches"])
    return found


def woken(before: dict[str, int], after: dict[str, int]) -> int:
    """The number of times that all threads went to sleep between two counts."""
    return sum(count - before.get(thread, 0) for thread, count in after.items())


def at_rest(pid: int, *, quiet_s: float = 1.0, limit_s: float = 120.0) -> tuple[float, float]:
    """Wait until a process takes no more processor time than one that idles.

    Returns:
        The seconds from now until it came to rest, and those of its processor time at that moment.

    Raises:
        TimeoutError: it did not rest.
    """
    began = time.monotonic()
    last, since = cpu(pid), began
    while time.monotonic() - began < limit_s:
        time.sleep(0.02)
        now = cpu(pid)
        if now > last + 0.005:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > quiet_s:
            return since - began, last
    raise TimeoutError(f"process {pid} did not come to rest")


def answers(url: str) -> bool:
    """Return whether a server answers /health now."""
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=120) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return client.recv(1000).startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def below(pids: Iterable[int]) -> list[int]:
    """These processes and all that descend from them."""
    found = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [pid, *(child.pid for child in process.children(recursive=True))]
    return found
