"""Checking that rows, events, processes and files agree once everything is at rest."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import trio

from campaigns.chaos.victims import all_of
from campaigns.chaos.world import World

_FOLLOWED = (
    "task_created", "task_updated", "task_deleted", "attempt_created", "attempt_updated",
    "process_started", "process_completed", "pr_status_changed",
    "approval_requested", "approval_resolved",
)  # fmt: skip
REST_S = 240.0
"""How long what is cleaned up in the background may take, on a machine that is slow and busy."""


async def check(world: World) -> None:
    """Compare them; what is cleaned up in the background has some time to end."""
    deadline = trio.current_time() + REST_S
    while (found := _left_over(world)) and trio.current_time() < deadline:
        await trio.sleep(0.3)
    world.faults.left_over += found
    with closing(_database(world)) as rows:
        for (name,) in rows.execute("PRAGMA integrity_check"):
            if name != "ok":
                world.faults.half_done.append(f"database: {name}")
        waiting = {desk.id for desk in world.desks if desk.may_wait}
        for attempt, kind in rows.execute("SELECT attempt_id, kind FROM intents"):
            if not (kind == "rebase" and attempt in waiting):
                world.faults.half_done.append(f"an intent ({kind}) of {attempt} is left")
        _check_events(world, rows)
    if "Traceback" in world.daemon.log():
        world.faults.half_done.append("a traceback is in the daemon's log")


def _database(world: World) -> sqlite3.Connection:
    path = world.daemon.data / "anyon.db"
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _left_over(world: World) -> list[str]:
    """Processes, spools and clean-ups that nobody needs, and rows that nobody looks after."""
    with closing(_database(world)) as rows:
        running = {id for id, in rows.execute(
            "SELECT id FROM execution_processes WHERE status = 'running'")}  # fmt: skip
        known = {id for (id,) in rows.execute("SELECT id FROM execution_processes")}
        found = [f"clean-up of {p}" for (p,) in rows.execute("SELECT worktree_path FROM cleanups")]
        found += [f"spool {n} of a row" for (n,) in rows.execute("SELECT name FROM gone")]
    alive = [one for one in all_of(world) if one.process.pid != world.daemon.pid]
    for one in alive:
        if one.execution not in running or not one.execution:
            found.append(f"process {one.process.pid}: {' '.join(one.command)}")
    for id in running - {one.execution for one in alive}:
        found.append(f"row {id} is running, and no process is")
    for path in (world.daemon.data / "executions").iterdir():
        if path.name not in known:
            found.append(f"spool {path.name} of no row")
    for path in world.daemon.data.rglob("*"):
        if path.suffix in {".tmp", ".new", ".part"} and "worktrees" not in path.parts:
            found.append(f"{path}")
    for project in world.projects:
        own = Path(project["git_repo_path"], ".git")
        try:
            locks = [*own.rglob("*.lock"), *own.glob("worktrees/*/anyon/*")]
        except FileNotFoundError:
            locks = [own]  # git removes a directory at this moment: it is still at work
        found += map(str, locks)
    return found


def _check_events(world: World, rows: Any) -> None:
    """The follower has each event that there is, once, and each run ended once."""
    marks = ", ".join("?" * len(_FOLLOWED))
    query = f"SELECT position, kind FROM changes WHERE kind IN ({marks}) ORDER BY position"
    there = list(rows.execute(query, _FOLLOWED))
    received = [event for event in world.events if event[1] != "resync"]
    if missing := set(there) - set(received):
        world.faults.lost.append(f"events {sorted(missing)[:9]} were never told")
    if odd := {event for event in set(received) - set(there) if event[0] >= there[0][0]}:
        world.faults.lost.append(f"events {sorted(odd)[:9]} were told, and are not there")
    ends = Counter(
        id for (id,) in rows.execute("SELECT key FROM changes WHERE kind = 'process_completed'")
    )
    for id, times in ends.items():
        if times > 1:
            world.faults.doubled.append(f"run {id} ended {times} times")
