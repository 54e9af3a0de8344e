"""The time until a board shows its tasks, when there are many clients, or many tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from benchmarks import bare
from benchmarks.askers import Asked, ask
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, at_most, compared, duration, middle, percentile
from benchmarks.filling import filled
from benchmarks.lab import Lab
from benchmarks.prober import probing


class Board(NamedTuple):
    """The size of a board, the number of clients that ask for it at once, and of their requests."""

    tasks: int
    clients: int
    each: int


BOARDS = (Board(200, 8, 150), Board(10_000, 4, 30))
ATTEMPTS = 500
ROUNDS = 5
CHANGES = 20


def measure(lab: Lab) -> Iterator[Figure]:
    daemon, projects = filled(lab, [board.tasks for board in BOARDS], ATTEMPTS)
    daemon.start()
    try:
        for project, board in zip(projects, BOARDS, strict=True):
            url = f"{daemon.url}/api/tasks?project_id={project}"
            yield from _compared_with_bare(lab, daemon, url, board)
        yield from _changing(daemon, projects[-1])
    finally:
        daemon.stop()


def _compared_with_bare(lab: Lab, daemon: Daemon, url: str, board: Board) -> Iterator[Figure]:
    """The same bytes from both, in turns."""
    _, clients, each = board
    file = lab.path("list")
    began = time.perf_counter()
    file.write_bytes(httpx.get(url, timeout=60).content)
    first = time.perf_counter() - began
    ours: list[Asked] = []
    plain: list[Asked] = []
    others: list[float] = []
    their_others: list[float] = []
    with bare.serving(file) as base:
        for _ in range(ROUNDS):
            plain.append(ask(f"{base}/list", clients, each))
            ours.append(ask(url, clients, each))
            # Once more with somebody who looks whether others are held up; that costs time itself.
            with probing(base) as probes:
                ask(f"{base}/list", clients, each)
            their_others += probes.answers
            with probing(daemon.url) as probes:
                ask(url, clients, each)
            others += probes.answers
    what = f"the list of {board.tasks:,} tasks, answers a second, {clients} clients"
    rate, base_rate = middle([a.rate for a in ours]), middle([a.rate for a in plain])
    yield Figure(
        what,
        f"{rate:,.0f} ({rate / base_rate:.2f} ×)",
        f"Hypercorn and Quart-Trio, the same bytes: {base_rate:,.0f}",
        "≥ 0.8 ×",
        rate >= 0.8 * base_rate,
    )
    slow, base_slow = (
        percentile([one for a in some for one in a.answers], 0.99) / 1000 for some in (ours, plain)
    )
    yield compared("… the slowest of 100", slow, base_slow, name="the same", factor=1.25)
    held, base_held = (percentile(some, 0.99) / 1000 for some in (others, their_others))
    what = "… the slowest of 100 other requests meanwhile"
    yield compared(what, held, base_held, name="the same", factor=1.25, spare=0.002)
    yield Figure("… the first time", duration(first))


def _changing(daemon: Daemon, project: str) -> Iterator[Figure]:
    """Each time one of the many tasks has changed before."""
    path = f"/api/tasks?project_id={project}"
    ids = [task.id for task in daemon.ask("GET", path)][:: 10_000 // CHANGES]
    took: list[float] = []
    with httpx.Client(base_url=daemon.url, timeout=60) as client, probing(daemon.url) as probes:
        for n, id in enumerate(ids):
            daemon.ask("PUT", f"/api/tasks/{id}", {"title": f"Changed {n}"})
            began = time.perf_counter()
            content = client.get(path).content
            took.append((time.perf_counter() - began) * 1000)
            assert f'"Changed {n}"'.encode() in content
    what = "the list of 10,000 tasks after one of them has changed"
    yield at_most(what, middle(took), 50, "ms")
    held = percentile(probes.answers, 0.99)
    late = f"a program that only sleeps: {percentile(probes.delays, 0.99):.1f} ms late"
    yield at_most("… the slowest of 100 other requests meanwhile", held, 20, "ms", baseline=late)
