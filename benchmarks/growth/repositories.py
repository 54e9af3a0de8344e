"""Curves against repositories: their files, and the attempts at one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks import cost
from benchmarks.growth import small
from benchmarks.growth.curve import Point
from benchmarks.lab import Lab


def files(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """The state of an attempt is asked for, in a repository of so many files."""
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; echo more >> README.md; exit 1"))
        for size in sizes:
            project = daemon.project(lab.large_repository(size))
            attempt = daemon.attempt(project)
            daemon.over(attempt)
            path = f"/api/task-attempts/{attempt.id}/branch-status"
            yield small.point(daemon, size, small.get(path), attempt.task_id)


def attempts(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """The state of one of so many attempts at one repository is asked for; all are over."""
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program("read line; exit 1"))
        project = daemon.project(lab.repository())
        made = 0
        for size in sizes:
            some = daemon.attempts(project, size - made)
            for attempt in some:
                daemon.over(attempt)
            made = size
            cost.at_rest(daemon.pid)
            path = f"/api/task-attempts/{some[0].id}/branch-status"
            yield small.point(daemon, size, small.get(path), some[0].task_id)
