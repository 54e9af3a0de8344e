"""Rows about a long log: written while a client follows, and joined afterwards."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import cost
from benchmarks.figures import ratio
from benchmarks.pairs import Pairs
from benchmarks.peers import patches
from benchmarks.peers.run import Run

WAIT = "while [ ! -e {gate} ]; do sleep 0.01; done"
PROGRAM = "for n in range({lines}): print(n, 'is one more short line of a talkative program')"


def measure(run: Run) -> None:
    """The program is the setup script of a project, as its text means nothing to anybody."""
    gate = run.lab.path("gate")
    program = shlex.quote(PROGRAM.format(lines=run.lines))
    talk = f"{WAIT.format(gate=gate)}; {shlex.quote(sys.executable)} -I -S -c {program}"
    project = run.peer.project(run.lab.repository(), f"{talk}\nexit 1")
    written, costs, joined, firsts = Pairs(), Pairs(), Pairs(), Pairs()
    for _ in range(run.rounds):
        gate.unlink(missing_ok=True)
        plain, plain_cpu, file = _into_a_file(run, gate, talk)
        gate.unlink()
        process, ours, used = _to_a_client(run, project, gate)
        written.add(plain, ours)
        costs.add(plain_cpu / run.lines, used / run.lines)
        read = run.lab.timed("cat", str(file), cwd=run.lab.root)
        file.unlink()
        whole, first = _joined(run, process)
        joined.add(read, whole)
        firsts.add(read, first)
    what = f"{run.lines:,} lines, from the program to a client"
    run.add(ratio(what, written, name="into `cat > file`"))
    if run.peer.pid is not None:
        what = "… processor time of the daemon a line"
        run.add(ratio(what, costs, name="of the program and of `cat`"))
    run.add(ratio("… the same log joined when it is over: all of it", joined, name="`cat` of it"))
    run.add(ratio("… its first frame", firsts, name="the same"))
    run.memory("after the log")


def _into_a_file(run: Run, gate: Path, talk: str) -> tuple[float, float, Path]:
    file = run.lab.path("output")
    before = os.times()
    process = subprocess.Popen(["bash", "-c", f"({talk}) | cat > {file}"], cwd=run.lab.root)
    time.sleep(0.5)  # until it waits at the gate
    began = time.monotonic()
    gate.touch()
    process.wait()
    took = time.monotonic() - began
    after = os.times()
    used = after.children_user + after.children_system
    return took, used - before.children_user - before.children_system, file


def _to_a_client(run: Run, project: dict[str, Any], gate: Path) -> tuple[str, float, float]:
    """The process, the seconds until the last line, and those of the daemon's processor."""
    attempt = run.peer.attempt(run.peer.task(project, "talk"))
    process = run.peer.until(lambda: run.peer.processes(attempt), "a process")[0]["id"]
    client = run.peer.until(lambda: _follow(run, process), "the log")
    assert client is not None
    pid = run.peer.pid
    before = cost.cpu(pid) if pid else 0.0
    began = time.monotonic()
    gate.touch()
    seen = patches.result(client)
    used = (cost.cpu(pid) if pid else 0.0) - before
    if seen["lines"] != run.lines:
        raise RuntimeError(f"{seen['lines']} of {run.lines} lines came")
    run.peer.over(attempt)
    return process, seen["at"] / 1e9 - began, used


def _follow(run: Run, process: str) -> subprocess.Popen[bytes] | None:
    """A client of a log; None while the peer does not know that log yet."""
    url = run.peer.socket(f"/api/execution-processes/{process}/raw-logs/ws")
    with suppress(RuntimeError):
        return patches.start([url], lines=run.lines)
    return None


def _joined(run: Run, process: str) -> tuple[float, float]:
    """Seconds until a new client has all of a log that is over, and its first frame."""
    client = _follow(run, process)
    if client is None:
        raise RuntimeError("the log of a process that is over is not served")
    seen = patches.result(client)
    if seen["lines"] != run.lines:
        raise RuntimeError(f"{seen['lines']} of {run.lines} lines are left of the log")
    return (seen["at"] - seen["began"]) / 1e9, (seen["first"] - seen["began"]) / 1e9
