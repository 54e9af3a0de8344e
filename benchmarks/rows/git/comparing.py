"""The time until one knows what an attempt has changed in a large repository."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from anyond.model.rows import TaskAttempt
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, at_most, compared, middle, percentile
from benchmarks.lab import Lab
from benchmarks.prober import probing
from benchmarks.websocket import WebSocket

ROUNDS = 9
CHANGED = 200


def measure(lab: Lab) -> Iterator[Figure]:
    """Rounds of all four, one after the other."""
    statuses: tuple[list[float], list[float]] = ([], [])
    diffs: tuple[list[float], list[float]] = ([], [])
    stalls: list[float] = []
    delays: list[float] = []
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; exit 1"))
        attempt = daemon.attempt(daemon.project(lab.large_repository()))
        daemon.over(attempt)
        tree = Path(attempt.container_ref or "")
        _change(tree)
        with probing(daemon.url) as idle:
            time.sleep(1)
        lab.timed("git", "status", cwd=tree)
        for _ in range(ROUNDS):
            statuses[0].append(lab.timed("git", "status", cwd=tree))
            diffs[0].append(lab.timed("git", "diff", "main", cwd=tree))
            statuses[1].append(_status(daemon, attempt))
            diffs[1].append(_diff(daemon, attempt))
            # Once more, with somebody who looks whether others are held up; that costs time itself.
            with probing(daemon.url) as probes:
                _status(daemon, attempt)
                _diff(daemon, attempt)
            stalls.append(max(probes.answers) - percentile(idle.answers, 0.5))
            delays.append(max(probes.delays))
    yield _figure("branch-status, 20,000 files, 200 changed", statuses, "`git status`")
    yield _figure("the first complete diff of the same", diffs, "`git diff`")
    late = f"a program that only sleeps: {middle(delays):.1f} ms late"
    what = "… the longest delay of another request"
    yield at_most(what, middle(stalls), 20, "ms", baseline=late)


def _figure(what: str, took: tuple[list[float], list[float]], name: str) -> Figure:
    return compared(what, middle(took[1]), middle(took[0]), name=name, factor=1.5, spare=0.03)


def _change(tree: Path) -> None:
    """Change files as an agent does: most edited, a few new, a few gone."""
    files = sorted(tree.glob("*/*/*.py"))[:: 20_000 // CHANGED]
    for n, file in enumerate(files):
        if n % 20 == 0:
            file.unlink()
        elif n % 20 == 1:
            file.unlink()
            (file.parent / f"new{n}.py").write_text("brand = 'new'\n" * 40)
        else:
            file.write_text(file.read_text().replace("value", "changed", 5) + "more = True\n")


def _status(daemon: Daemon, attempt: TaskAttempt) -> float:
    began = time.perf_counter()
    found = daemon.ask("GET", f"/api/task-attempts/{attempt.id}/branch-status")
    elapsed = time.perf_counter() - began
    assert found["uncommitted_count"] + found["untracked_count"] >= CHANGED, found
    return elapsed


def _diff(daemon: Daemon, attempt: TaskAttempt) -> float:
    began = time.perf_counter()
    client = WebSocket(daemon.socket(f"/api/task-attempts/{attempt.id}/diff/ws"))
    seen: list[bytes] = []
    while not seen or not seen[-1].startswith(b'{"type":"ready"'):
        seen += client.wait()
    elapsed = time.perf_counter() - began
    client.close()
    assert len(seen) > CHANGED, len(seen)
    return elapsed
