"""Rows about a stop and a start, while an agent works."""

from __future__ import annotations

import time

from benchmarks.figures import Figure, duration, middle
from benchmarks.peers import agent
from benchmarks.peers.run import Run


def measure(run: Run) -> None:
    """Nothing, where the command that starts the peer is not known."""
    if not run.peer.restarts:
        return
    count = len(agent.starts(run.place))
    project = run.peer.project(run.lab.repository())
    attempt = run.peer.attempt(run.peer.task(project, "wait"))
    run.peer.until(lambda: agent.starts(run.place)[count:], "an agent")
    stops, starts = [], []
    for _ in range(run.rounds):
        began = time.perf_counter()
        run.peer.stop()
        stops.append(time.perf_counter() - began)
        starts.append(run.peer.start())
    status = run.peer.processes(attempt)[-1]["status"]
    run.add(
        Figure("a stop, with an agent at work", duration(middle(stops))),
        Figure("a start until it answers, with all of that", duration(middle(starts))),
        Figure("… what is said of the agent then", str(status)),
    )
    run.memory("after the restarts")
    (run.place / "gate").touch()
    run.peer.over(attempt)
    run.add(Figure("… and when it has ended", str(run.peer.processes(attempt)[-1]["status"])))
