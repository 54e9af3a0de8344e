"""Curves against what is at work, or has been: agents, listeners, logs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence

import httpx

from benchmarks import cost, listeners
from benchmarks.daemon import Daemon
from benchmarks.growth import small
from benchmarks.growth.curve import Point
from benchmarks.lab import Lab
from benchmarks.websocket import WebSocket


def agents(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """A task is asked for, and changed, while so many agents run and wait."""
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; exec sleep 36000"))
        project = daemon.project(lab.repository())
        task = daemon.task(project).id
        running = 0
        for size in sizes:
            daemon.attempts(project, size - running)
            running = size
            cost.at_rest(daemon.pid)
            yield small.point(daemon, size, small.get(f"/api/tasks/{task}"), task)


def listening(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """A task is asked for, and changed, while so many clients hear of each change."""
    with lab.daemon() as daemon:
        task = daemon.task(daemon.project(lab.repository())).id
        for size in sizes:
            process = listeners.start(f"{daemon.url}/api/events", size)
            yield small.point(daemon, size, small.get(f"/api/tasks/{task}"), task)
            _leave(process)


def logs(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """A log of so many megabytes is joined at its end."""
    with lab.daemon() as daemon:
        for size in sizes:
            text = "yes 'a line of a log that is much too long'"
            project = daemon.project(lab.repository(), f"{text} | head -c {size}000000; exit 1")
            task = daemon.task(project).id
            yield small.point(daemon, size, _join(daemon, project), task)


def _leave(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def _join(daemon: Daemon, project: object) -> Callable[[httpx.Client], object]:
    """A client that wants what came after the last frame but one."""
    attempt = daemon.attempt(project)  # type: ignore[arg-type]
    process = daemon.process(attempt)
    daemon.over(attempt)
    spool = daemon.root / "data" / "executions" / process.id
    after = (spool / "log.idx").stat().st_size // 8 - 2
    url = daemon.socket(f"/api/execution-processes/{process.id}/raw-logs/ws?after={after}")

    def join(_: httpx.Client) -> None:
        client = WebSocket(url)
        assert client.wait()
        client.close()

    return join
