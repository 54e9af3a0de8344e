"""The time until one knows what an attempt has changed in a large repository, beside git itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from anyond.model.rows import TaskAttempt
from benchmarks import cost
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, duration, percentile, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs, in_turns
from benchmarks.prober import probing
from benchmarks.websocket import WebSocket

ROUNDS = 9
CHANGED = 200
WRITING_S = 15.0
EDIT_S = 0.2
CALM_S = 5.0


def measure(lab: Lab) -> Iterator[Figure]:
    """An attempt whose agent is over; then one whose agent is at work."""
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; exit 1"))
        project = daemon.project(lab.large_repository())
        attempt = daemon.attempt(project)
        daemon.over(attempt)
        tree = Path(attempt.container_ref or "")
        _change(tree)
        lab.timed("git", "status", cwd=tree)  # what git refreshes once is not measured
        statuses = in_turns(
            lambda: lab.timed("git", "status", cwd=tree),
            lambda: _status(daemon, attempt),
            lab.rounds(ROUNDS),
        )
        yield ratio(
            "branch-status, 20,000 files, 200 changed",
            statuses,
            name="`git status`",
            at_most=1.5,
            spare=0.03,
        )
        yield from _first(lab, daemon, attempt, tree)
        daemon.use_agent(lab.program("read line; exec sleep 3600"))
        attempt = daemon.attempt(project)
        tree = Path(attempt.container_ref or "")
        _change(tree)
        yield from _later(lab, daemon, attempt, tree)
        daemon.end_runs(attempt)


def _first(lab: Lab, daemon: Daemon, attempt: TaskAttempt, tree: Path) -> Iterator[Figure]:
    """Each time by a daemon that has just been started, and knows of no comparison yet."""
    diffs, held = Pairs(), Pairs()
    for turn in range(1 + lab.rounds(ROUNDS)):
        daemon.stop()
        daemon.start()
        cost.at_rest(daemon.pid, quiet_s=0.5)
        both = _git(lab, tree), _diff(daemon, attempt)
        if turn:
            diffs.add(*both)
    for _ in range(lab.rounds(ROUNDS)):
        # Once more, with somebody who looks whether others are held up; that costs time itself.
        with probing(daemon.url) as idle:
            time.sleep(1)
        with probing(daemon.url) as probes:
            _status(daemon, attempt)
            _diff(daemon, attempt)
        held.add(percentile(idle.answers, 0.99) / 1000, max(probes.answers) / 1000)
    name = "`git status` and `git diff` in turn"
    yield ratio("the first complete diff of the same", diffs, name=name, at_most=1.1)
    name = "an idle daemon, slowest of 100"
    yield ratio("… the slowest of other answers", held, name=name, at_most=10)


def _later(lab: Lab, daemon: Daemon, attempt: TaskAttempt, tree: Path) -> Iterator[Figure]:
    """One client looks while a file changes all the time; then nobody, and nothing changes."""
    edited = sorted(tree.glob("*/*/*.py"))[7]
    client = WebSocket(daemon.socket(f"/api/task-attempts/{attempt.id}/diff/ws"))
    seen: list[bytes] = []
    while not seen or not seen[-1].startswith(b'{"type":"ready"'):
        seen += client.wait()
    costs = Pairs()
    for _ in range(lab.rounds(3)):
        before = os.times()
        _git(lab, tree)
        after = os.times()
        plain = after.children_user + after.children_system
        plain -= before.children_user + before.children_system
        costs.add(plain, _looks(daemon, client, edited))
    client.close()
    name = "of `git status` and `git diff`"
    what = "… each later one while an agent writes, processor time"
    yield ratio(what, costs, name=name, at_most=1)
    time.sleep(CALM_S)
    used = _cpu(daemon)
    time.sleep(CALM_S)
    used = _cpu(daemon) - used
    what = f"… while nothing changes and nobody looks, {CALM_S:.0f} s"
    yield Figure(what, duration(used), promise="0", holds=used < 0.015)


def _looks(daemon: Daemon, client: WebSocket, edited: Path) -> float:
    """Seconds of the processor for each comparison; each finds the file changed, and says so."""
    stop = threading.Event()

    def write() -> None:
        count = 0
        while not stop.wait(EDIT_S):
            count += 1
            edited.write_text(f"value = {count}\n" * 25)

    writer = threading.Thread(target=write)
    writer.start()
    name, looks = edited.name.encode(), 0
    try:
        while not any(name in message for message in client.wait()):
            pass  # the first comparison in which it is seen begins somewhere
        before, began = _cpu(daemon), time.monotonic()
        while time.monotonic() - began < WRITING_S:
            looks += sum(name in message for message in client.wait())
        return (_cpu(daemon) - before) / looks
    finally:
        stop.set()
        writer.join()


def _cpu(daemon: Daemon) -> float:
    """Seconds of the daemon, and of all git that it has waited for."""
    times = psutil.Process(daemon.pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _git(lab: Lab, tree: Path) -> float:
    """Seconds of both, one after the other."""
    status = lab.timed("git", "status", cwd=tree)
    return status + lab.timed("git", "diff", "main", cwd=tree)


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
