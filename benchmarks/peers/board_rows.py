"""Rows about tasks: created, listed, and followed by many."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks import bare, listeners
from benchmarks.askers import ask
from benchmarks.figures import Figure, duration, middle, percentile, rate, ratio
from benchmarks.pairs import Pairs
from benchmarks.peers import patches
from benchmarks.peers.run import Run

SHORT = 200
CLIENTS = 4
EACH = 50
LISTENERS = 100
EVENTS = 50
PAUSE_S = 0.02


def measure(run: Run) -> None:
    began = time.perf_counter()
    project = run.peer.project(run.lab.repository())
    run.add(Figure("a project is created", duration(time.perf_counter() - began)))
    took = []
    for n in range(SHORT):
        began = time.perf_counter()
        task = run.peer.task(project, f"Task {n} of many, with a title of the usual length")
        took.append(time.perf_counter() - began)
    run.add(Figure("a task is created", duration(middle(took))))
    _listed(run, project, SHORT)
    _followed(run, project, task)
    run.memory(f"after {LISTENERS} listeners")
    with ThreadPoolExecutor(CLIENTS) as pool:
        titles = [f"Task {n} of many, with a title of the usual length" for n in range(run.tasks)]
        list(pool.map(lambda title: run.peer.task(project, title), titles[SHORT:]))
    _listed(run, project, run.tasks)
    run.memory(f"after {run.tasks:,} tasks")


def _listed(run: Run, project: dict[str, Any], number: int) -> None:
    """The same bytes from both, in turns."""
    url = f"{run.peer.url}/api/tasks?project_id={project['id']}"
    file = run.lab.path("list")
    file.write_bytes(httpx.get(url, timeout=120).content)
    rates, slowest = Pairs(), Pairs()
    with bare.serving(file) as base:
        for _ in range(run.rounds):
            both = [ask(where, CLIENTS, EACH) for where in (f"{base}/list", url)]
            rates.add(*(asked.rate for asked in both))
            slowest.add(*(percentile(asked.answers, 0.99) / 1000 for asked in both))
    name = "Hypercorn and Quart-Trio, the same bytes"
    what = f"the list of {number:,} tasks, answers to {CLIENTS} clients"
    run.add(ratio(what, rates, name=name, show=rate))
    run.add(ratio("… the slowest of 100", slowest, name="the same"))


def _followed(run: Run, project: dict[str, Any], task: dict[str, Any]) -> None:
    """From the moment when a client sends a change until the last listener has it."""
    stream = run.peer.socket(f"/api/tasks/stream/ws?project_id={project['id']}")
    file = run.lab.path("nothing")
    file.write_bytes(b"[]")
    middles = Pairs()
    with bare.serving(file) as base:
        for _ in range(run.rounds):
            plain = listeners.start(f"{base}/events", LISTENERS, EVENTS)
            _change(f"{base}/tell", {})
            theirs = listeners.result(plain)
            ours = patches.start([stream] * LISTENERS, stamps=EVENTS)
            same = {key: task[key] for key in ("description", "status", "parent_task_attempt")}
            _change(f"{run.peer.url}/api/tasks/{task['id']}", {**same, "image_ids": None})
            delays = patches.result(ours)["delays_ms"]
            middles.add(*(middle([max(each) for each in some]) / 1000 for some in (theirs, delays)))
    name = "Hypercorn and Quart-Trio, nothing kept"
    what = f"a change until the last of {LISTENERS} listeners has it"
    run.add(ratio(what, middles, name=name))


def _change(url: str, rest: dict[str, Any]) -> None:
    with httpx.Client(timeout=60) as client:
        for _ in range(EVENTS):
            body = {"title": str(time.monotonic_ns()), **rest}
            client.put(url, json=body).raise_for_status()
            time.sleep(PAUSE_S)
