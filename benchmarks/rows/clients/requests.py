"""Small requests and the list of a usual board, beside a bare server that sends the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import httpx

from benchmarks import bare, cost
from benchmarks.askers import ask
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, percentile, rate, ratio
from benchmarks.filling import filled
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs

TASKS = 200
ATTEMPTED = 50
CLIENTS = 8
EACH = 150
ROUNDS = 7


class Request(NamedTuple):
    """The name of a request for a user, its path, and what is sent by PUT, if anything."""

    what: str
    path: str
    body: str = ""


def measure(lab: Lab) -> Iterator[Figure]:
    daemon, projects = filled(lab, [TASKS], ATTEMPTED)
    daemon.start()
    try:
        board = f"/api/tasks?project_id={projects[0]}"
        task = f"/api/tasks/{daemon.ask('GET', board)[-1]['id']}"
        for request in (
            Request("a task", task),
            Request("a task is changed", task, '{"title":"Title {}"}'),
            Request(f"the list of {TASKS} tasks", board),
        ):
            yield from _compared(lab, daemon, request)
    finally:
        daemon.stop()


def _compared(lab: Lab, daemon: Daemon, request: Request) -> Iterator[Figure]:
    """Rounds of both, one after the other."""
    url = f"{daemon.url}{request.path}"
    method = "PUT" if request.body else "GET"
    body = request.body.replace("{}", "000000")
    file = lab.path("answer")
    file.write_bytes(httpx.request(method, url, content=body, timeout=60).content)
    rates, slowest, costs = Pairs(), Pairs(), Pairs()
    with bare.running(file) as server:
        for turn in range(1 + lab.rounds(ROUNDS)):
            both = []
            for where, pid in ((f"{server.url}/list", server.pid), (url, daemon.pid)):
                before = cost.cpu(pid)
                asked = ask(where, CLIENTS, EACH, request.body)
                used = (cost.cpu(pid) - before) / (CLIENTS * EACH)
                both.append((asked.rate, percentile(asked.answers, 0.99) / 1000, used))
            if turn:
                for pairs, base, ours in zip((rates, slowest, costs), *both, strict=True):
                    pairs.add(base, ours)
    name = "Hypercorn and Quart-Trio, the same bytes"
    what = f"{request.what}, answers to {CLIENTS} clients"
    yield ratio(what, rates, name=name, at_least=3, show=rate)
    yield ratio("… the slowest of 100", slowest, name="the same", at_most=1)
    yield ratio("… processor time of the server", costs, name="the same")
