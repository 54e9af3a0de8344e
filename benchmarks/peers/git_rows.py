"""Rows about attempts in a large repository, beside git itself."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figures import ratio
from benchmarks.pairs import Pairs
from benchmarks.peers import agent
from benchmarks.peers.run import Run
from benchmarks.websocket import WebSocket

CHANGED = 200


def measure(run: Run) -> None:
    repository = run.lab.large_repository(run.files)
    project = run.peer.project(repository)
    starts, diffs = Pairs(), Pairs()
    for turn in range(run.rounds):
        plain = _add(run, repository)
        count = len(agent.starts(run.place))
        task = run.peer.task(project, f"change {CHANGED}")
        began = time.monotonic_ns()
        attempt = run.peer.attempt(task)
        found = run.peer.until(lambda n=count: agent.starts(run.place)[n:], "an agent")  # type: ignore[misc]
        starts.add(plain, (found[-1] - began) / 1e9)
        run.peer.over(attempt)
        tree = run.peer.worktree(attempt)
        if not turn:
            run.memory("after the first attempt")
        _git(run, tree)  # what git refreshes once is not measured
        diffs.add(_git(run, tree), _diff(run, attempt["id"]))
    what = f"an attempt is asked for until its agent runs, {run.files:,} files"
    run.add(ratio(what, starts, name="`git worktree add`"))
    what = f"the first diff, {CHANGED} files changed"
    run.add(ratio(what, diffs, name="`git status` and `git diff`"))
    run.memory("after the diffs")


def _add(run: Run, repository: Path) -> float:
    tree = run.lab.path("tree")
    add = ("worktree", "add", "-q", "-b", tree.name, str(tree), "main")
    return run.lab.timed("git", *add, cwd=repository)


def _git(run: Run, tree: Path) -> float:
    """Seconds of both; an agent's work may have been committed when it ended."""
    status = run.lab.timed("git", "status", cwd=tree)
    return status + run.lab.timed("git", "diff", "main", cwd=tree)


def _diff(run: Run, attempt: str) -> float:
    """Seconds until all changed files were sent; nothing says that a diff is complete."""
    began = time.perf_counter()
    client = WebSocket(run.peer.socket(f"/api/task-attempts/{attempt}/diff/ws"))
    seen = 0
    while seen < CHANGED and not client.over:
        seen += sum(message.count(b'"type":"DIFF"') for message in client.wait())
    took = time.perf_counter() - began
    client.close()
    if seen < CHANGED:
        raise RuntimeError(f"the diff ended after {seen} of {CHANGED} files")
    return took
