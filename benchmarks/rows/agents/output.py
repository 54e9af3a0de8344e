"""The throughput of a talkative program's output to a client, and the daemon's cost of that."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from anyond.model.rows import Project
from benchmarks import follower
from benchmarks.daemon import TIMEOUT_S, Daemon
from benchmarks.figures import Figure, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs

LINES = 1_000_000
ROUNDS = 5
PROGRAM = f"for n in range({LINES}): print(n, 'is one more short line of a talkative program')"


def measure(lab: Lab) -> Iterator[Figure]:
    """Both run after the same word through the same kind of pipe."""
    gate = lab.path("gate")
    os.mkfifo(gate)
    talk = f"read go < {gate}; {shlex.quote(sys.executable)} -I -S -c {shlex.quote(PROGRAM)}"
    took, costs = Pairs(), Pairs()
    with lab.daemon() as daemon:
        project = daemon.project(lab.repository(), f"{talk}; exit 1")
        for _ in range(lab.rounds(ROUNDS)):
            plain, plain_cpu = _into_a_file(lab, gate, talk)
            ours, cpu = _to_a_client(daemon, project, gate)
            took.add(plain, ours)
            costs.add(plain_cpu / LINES, cpu / LINES)
    what = "1,000,000 lines, from the program to a client"
    yield ratio(what, took, name="into `cat > file`", at_most=1)
    what = "… processor time of the daemon a line"
    yield ratio(what, costs, name="of the program and of `cat`", at_most=0.5)


def _into_a_file(lab: Lab, gate: Path, talk: str) -> tuple[float, float]:
    file = lab.path("output")
    before = os.times()
    process = subprocess.Popen(["bash", "-c", f"{talk} | cat > {file}"], cwd=lab.root)
    began = _open(gate)
    process.wait(TIMEOUT_S)
    elapsed = time.monotonic() - began
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    with file.open("rb") as written:
        assert sum(1 for _ in written) == LINES
    file.unlink()
    return elapsed, cpu


def _to_a_client(daemon: Daemon, project: Project, gate: Path) -> tuple[float, float]:
    attempt = daemon.attempt(project)
    process = daemon.process(attempt)
    path = f"/api/execution-processes/{process.id}/raw-logs/ws?batch=true"
    client = follower.start([daemon.socket(path)], lines=LINES)
    before = daemon.cpu()
    began = _open(gate)
    seen = follower.result(client)
    cpu = daemon.cpu() - before
    assert seen["lines"] == LINES, seen
    daemon.over(attempt)
    return seen["at"] / 1e9 - began, cpu


def _open(gate: Path) -> float:
    """Give the word to the program that waits at the gate; when that was."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            fd = os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.005)  # nobody waits there yet
    began = time.monotonic()
    os.write(fd, b"go\n")
    os.close(fd)
    return began
