"""The number of changes of state that are safely on the disk a second, with fifty clients
writing.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import trio

from anyond.model.http.bodies import NewProject, NewTask, TaskPatch
from anyond.model.ids import new_id, now
from anyond.store.board import projects, tasks
from anyond.store.engine import migrate
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from benchmarks.figures import Figure, middle, rate, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import in_turns
from benchmarks.root import ROOT

CLIENTS = 50
EACH = 60
ROUNDS = 5


def measure(lab: Lab) -> Iterator[Figure]:
    """The title of a task is changed, and the change recorded for followers."""
    pairs = in_turns(
        lambda: _in_a_loop(lab.path("plain.db")),
        lambda: trio.run(_in_the_store, lab.path("store.db")),
        lab.rounds(ROUNDS),
    )
    what = f"changes of state, {CLIENTS} clients writing"
    yield ratio(what, pairs, name="sqlite3 in a loop, as durable", at_least=0.5, show=rate)
    served = middle([_over_http(lab) for _ in range(lab.rounds(ROUNDS))])
    yield Figure("… the same as requests (PUT /api/tasks/…)", rate(served))


def _in_a_loop(path: Path) -> float:
    """Do the least that the store has to do, without savepoints, checks, and answers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for migration in migrate.migrations():
            connection.executescript(migration.sql)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        ids = _seed(Tx(connection))
        task = tasks.with_status(Tx(connection), ids[0])
        began = time.perf_counter()
        for n in range(CLIENTS * EACH):
            connection.execute("BEGIN IMMEDIATE")
            title, at, id = f"Title {n}", now(), ids[n % CLIENTS]
            update = "UPDATE tasks SET title = ?, updated_at = ? WHERE id = ?"
            connection.execute(update, (title, at, id))
            changed = msgspec.structs.replace(task, id=id, title=title, updated_at=at)
            connection.execute(
                "INSERT INTO changes (at, kind, project_id, key, data) VALUES (?, ?, ?, ?, ?)",
                (at, "task_updated", task.project_id, id, msgspec.json.encode(changed)),
            )
            connection.execute("COMMIT")
        return CLIENTS * EACH / (time.perf_counter() - began)


async def _in_the_store(path: Path) -> float:
    async with Store.open(path) as store:
        ids = await store.write(_seed)
        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for id in ids:
                nursery.start_soon(_write, store, id)
        elapsed = time.perf_counter() - began
        assert store.changes.end >= CLIENTS * EACH
    return CLIENTS * EACH / elapsed


async def _write(store: Store, id: str) -> None:
    for n in range(EACH):
        patch = TaskPatch(title=f"Title {n}")
        await store.write(lambda tx, patch=patch: tasks.patch(tx, id, patch, now()))  # type: ignore[misc]


def _seed(tx: Tx) -> list[str]:
    new = NewProject(name="Measured", git_repo_path="/measured", use_existing_repo=True)
    project = projects.insert(tx, new, new_id(), now())
    made = [NewTask(project_id=project.id, title=f"Task {n}") for n in range(CLIENTS)]
    return [tasks.insert(tx, task, new_id(), now()).id for task in made]


def _over_http(lab: Lab) -> float:
    with lab.daemon() as daemon:
        project = daemon.project(lab.repository())
        ids = [daemon.task(project, "Task").id for _ in range(CLIENTS)]
        argv = [sys.executable, "-m", "benchmarks.writers", daemon.url, str(EACH), *ids]
        return float(subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
