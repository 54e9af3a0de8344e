"""A copy of a data directory beside the one that it was made of: whose the worktrees are.

Rows name worktrees, programs and repositories by their places, and those are the same in a copy. As
long as the first directory is there, they are its own: the copy shows what it knows of them, starts
nothing there, ends nothing, and deletes nothing. What it begins itself, it has for itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import structlog
import trio

from anyond.model.ids import now
from anyond.model.rows import ExecutionProcess, ProcessStatus, TaskAttempt
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.turn import undelivered
from anyond.operations.turn.end_reason import write_reason
from anyond.store.board import attempts, drafts
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import intents, processes
from anyond.store.upkeep import cleanups, data_directory, expiries, planned_worktrees
from anyond.store.upkeep.data_directory import DataDirectory

log = structlog.get_logger()


async def notice(resources: Resources) -> None:
    """Find out whether this data directory is a copy, before anything that it names is touched."""
    here = await trio.to_thread.run_sync(_known_by, resources.paths.data_dir)
    recorded = await resources.store.read(data_directory.recorded)
    known = await resources.store.read(data_directory.elsewhere)
    alive = {owner for owner in set(known.values()) if await _lives(resources, owner)}
    found: dict[str, DataDirectory] = {}
    if recorded is None:
        found = await _by_their_paths(resources, here)
    elif recorded.path != here.path and await _lives(resources, recorded):
        found = dict.fromkeys(await resources.store.read(_with_worktrees), recorded)
    found = {id: owner for id, owner in found.items() if id not in known}
    running = await resources.store.read(processes.running) if found else []
    running = [row for row in running if row.task_attempt_id in found]

    def write(tx: Tx) -> None:
        for attempt_id, owner in known.items():
            if owner not in alive:
                data_directory.take_over(tx, attempt_id)
        _give_up(tx, found, running)
        data_directory.record(tx, here)

    await resources.store.write(write)
    for owner in sorted(set(found.values())):
        log.warning("copied_data_directory", data_dir=here.path, copy_of=owner.path)
    for row in running:
        owner = found[row.task_attempt_id]
        try:
            await write_reason(
                resources,
                row,
                f"This data directory is a copy of {owner.path}, where this goes on, or has ended.",
            )
        except Exception as error:
            # The row is final already, and a log that cannot be written must not hold up a start.
            log.warning("reason_not_written", process=row.id, why=str(error))


def _give_up(tx: Tx, found: Mapping[str, DataDirectory], running: list[ExecutionProcess]) -> None:
    """Give up what was under way in those attempts: it goes on in the other directory, and only
    there.
    """
    moment = now()
    for attempt_id, owner in found.items():
        data_directory.set_owner(tx, attempt_id, owner)
        intents.delete(tx, attempt_id)
        drafts.unqueue(tx, attempt_id, moment)
    for row in running:
        processes.finish(
            tx, row.id, ProcessStatus.KILLED, exit_code=None, after_head_commit=None, at=moment
        )
        undelivered.give_back(tx, row, moment)
        run.review(tx, attempts.place(tx, row.task_attempt_id).task_id, row.run_reason)
    if found:
        for job in cleanups.fetch_all(tx):
            cleanups.delete(tx, job.id)
        for attempt_id in expiries.attempt_ids(tx):
            expiries.delete(tx, attempt_id)


def _with_worktrees(reader: Reader) -> list[str]:
    planned = set(planned_worktrees.attempt_ids(reader))
    rows: list[TaskAttempt] = attempts.fetch_all(reader)
    return [row.id for row in rows if row.container_ref is not None or row.id in planned]


async def _by_their_paths(resources: Resources, here: DataDirectory) -> dict[str, DataDirectory]:
    """Those whose worktrees lie in another data directory, where no version has written down which
    one this is."""
    found: dict[str, DataDirectory] = {}
    for row in await resources.store.read(attempts.fetch_all):
        if row.container_ref is None:
            continue
        root = Path(row.container_ref).parent.parent
        if root.name != "worktrees":
            continue
        other = await trio.to_thread.run_sync(_known_by, root.parent)
        if other.path != here.path and await _lives(resources, other):
            found[row.id] = other
    return found


def _known_by(place: Path) -> DataDirectory:
    path = os.path.realpath(place)
    try:
        return DataDirectory(path, os.stat(path).st_ino)
    except OSError:
        return DataDirectory(path, 0)


async def _lives(resources: Resources, other: DataDirectory) -> bool:
    """Return whether that directory is still there, with its database, and is not this one."""

    def look() -> bool:
        mine = resources.paths.data_dir
        database = os.path.join(other.path, resources.paths.database.name)
        try:
            same_inode = os.stat(other.path).st_ino == other.inode
            return (
                same_inode and os.path.isfile(database) and not os.path.samefile(other.path, mine)
            )
        except OSError:
            return False

    return await trio.to_thread.run_sync(look)
