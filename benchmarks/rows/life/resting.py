"""The cost of the daemon when it starts, when nothing happens, and for each thing it looks
after.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, at_most, compared, middle
from benchmarks.lab import Lab

STARTS = 7
STACK = "import trio, hypercorn, quart, quart_trio, aiosqlite, msgspec, structlog, click"
"""Without Python's garbage collector being turned off, as anybody would import them."""
SETTLE_SECONDS = 12
"""Worker threads of the start that find nothing more to do end after ten seconds."""
IDLE_SECONDS = 10
FILLING = 250
FINISHED = 200
RUNNING = 10


def measure(lab: Lab) -> Iterator[Figure]:
    yield _starts(lab)
    with lab.daemon() as daemon:
        daemon.until(lambda: _answers(daemon.url), "an answer")
        memory = daemon.rss() / 2**20
        time.sleep(SETTLE_SECONDS)
        before = _wakeups(daemon.pid)
        time.sleep(IDLE_SECONDS)
        after = _wakeups(daemon.pid)
        woken = sum(after[task] - before.get(task, 0) for task in after)
    yield at_most("memory, idle", memory, 70, "MB")
    yield at_most(f"wake-ups in {IDLE_SECONDS} s, idle", woken, 0, "", digits=0)
    with lab.daemon() as daemon:
        yield at_most("memory for each finished attempt", _finished(lab, daemon), 20, "KB")
        yield at_most("memory for each running program", _running(lab, daemon), 12, "MB")


def _starts(lab: Lab) -> Figure:
    """Starts in turn with a Python that only imports what the daemon stands on."""
    ours: list[float] = []
    plain: list[float] = []
    for turn in range(STARTS + 1):
        plain.append(lab.timed(sys.executable, "-c", STACK, cwd=lab.root))
        ours.append(_start(lab))
        if not turn:  # the first of each may have had to compile everything
            ours.clear()
            plain.clear()
    what, name = "start until the first answer", "importing the stack alone"
    return compared(what, middle(ours), middle(plain), name=name, factor=1.3)


def _start(lab: Lab) -> float:
    """Seconds."""
    daemon = Daemon(lab.path("daemon"), lab.environment)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    daemon.launch("--port", str(port))
    while not _answers(f"http://127.0.0.1:{port}"):
        time.sleep(0.002)
    took = time.perf_counter() - began
    daemon.stop()
    return took


def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return client.recv(1000).startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False


def _wakeups(pid: int) -> dict[str, int]:
    """Return how often each thread of a process (elsewhere: all of it) has gone to sleep so far."""
    if not sys.platform.startswith("linux"):
        return {"": int(psutil.Process(pid).num_ctx_switches().voluntary)}
    found: dict[str, int] = {}
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        found[status.parent.name] = int(fields["voluntary_ctxt_switches"])
    return found


def _finished(lab: Lab, daemon: Daemon) -> float:
    """KB for each attempt that ran and is over, once the caches are as large as they may become."""
    daemon.use_agent(lab.program("read line; exit 1"))
    project = daemon.project(lab.repository())
    sizes: list[int] = []
    for number in (FILLING, FINISHED):
        for attempt in daemon.attempts(project, number):
            daemon.over(attempt)
        sizes.append(daemon.rss())
    return (sizes[1] - sizes[0]) / FINISHED / 1024


def _running(lab: Lab, daemon: Daemon) -> float:
    """MB of a shim."""
    attempts = daemon.attempts(daemon.project(lab.repository(), "sleep 1000"), RUNNING)
    sizes = [shim.memory_info().rss / 2**20 for shim in daemon.shims()]
    assert len(sizes) == RUNNING, sizes
    for attempt in attempts:
        daemon.end_runs(attempt)
    return middle(sizes)
