"""The time until a daemon answers, beside the bare imports of what it stands on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from benchmarks import cost
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import in_turns

STARTS = 11
STACK = "import trio, hypercorn, quart, quart_trio, aiosqlite, msgspec, structlog, click"
"""Without Python's garbage collector being turned off, as anybody would import them."""


def measure(lab: Lab) -> Iterator[Figure]:
    """Starts in turn with a Python that only imports; of each, the first compiles everything."""
    pairs = in_turns(
        lambda: lab.timed(sys.executable, "-c", STACK, cwd=lab.root),
        lambda: _first_answer(lab),
        lab.rounds(STARTS),
    )
    name = "importing the stack alone"
    yield ratio("start until the first answer", pairs, name=name, at_most=0.9)


def _first_answer(lab: Lab) -> float:
    """Seconds until a daemon with an empty data directory answers."""
    daemon = Daemon(lab.path("daemon"), lab.environment)
    took = until_it_answers(daemon)
    daemon.stop()
    return took


def until_it_answers(daemon: Daemon) -> float:
    """Start a daemon at a free port; the seconds until its first answer."""
    port = cost.free_port()
    began = time.perf_counter()
    daemon.launch("--port", str(port))
    while not cost.answers(f"http://127.0.0.1:{port}"):
        time.sleep(0.002)
    return time.perf_counter() - began
