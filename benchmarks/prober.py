"""A second client, which asks for /health every 10 ms while something else goes on.

How late it wakes up by itself tells how much of a delay is the machine's.
"""

from __future__ import annotations

import http.client
import json
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.root import ROOT

INTERVAL = 0.01


class Probes(NamedTuple):
    """Milliseconds: how long each answer took, and how much too late each pause ended."""

    answers: list[float]
    delays: list[float]


@contextmanager
def probing(url: str) -> Iterator[Probes]:
    """Probe during the block; after it, the probes are there."""
    argv = [sys.executable, "-m", "benchmarks.prober", url]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    found = Probes([], [])
    try:
        yield found
    finally:
        out, _ = process.communicate(timeout=60)
        for held, numbers in zip(found, json.loads(out), strict=True):
            held.extend(numbers)


def main(url: str) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    probes = Probes([], [])
    connection.request("GET", "/health")
    connection.getresponse().read()
    print("ready", flush=True)
    due = time.perf_counter() + INTERVAL
    while not selector.select(max(0.0, due - time.perf_counter())):
        began = time.perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        now = time.perf_counter()
        assert answer.status == 200, answer.status
        probes.delays.append((began - due) * 1000)
        probes.answers.append((now - began) * 1000)
        due = now + INTERVAL
    print(json.dumps(probes))


if __name__ == "__main__":
    main(sys.argv[1])
