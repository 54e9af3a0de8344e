"""Worktrees and raw logs that are removed when their tasks have been over for long, if the settings
say so.

A worktree is removed after a snapshot, and its branch stays: it is made again when it is needed. Of
a log the conversation stays. Neither is done unless a setting names a number of days.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog
import trio

from anyond.logs import archive
from anyond.model.configuration.settings import Config
from anyond.model.errors import Unavailable
from anyond.model.ids import now, timestamp
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn.end_reason import ENTRIES
from anyond.operations.workspace import set_aside
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes
from anyond.store.upkeep import idle_attempts
from anyond.store.upkeep.idle_attempts import IdleAttempt

log = structlog.get_logger()

_RAW = ("log", "log.idx", "gap.json", "shim.err")


class Due(NamedTuple):
    """The worktrees and logs that are to be removed."""

    worktrees: list[IdleAttempt]
    logs: list[IdleAttempt]


def due(reader: Reader, config: Config, at: float) -> Due:
    """Find what is to be removed at a moment (Unix seconds) by these settings."""
    return Due(
        [one for one in _idle(reader, config.worktrees_stay_days, at) if one.worktree is not None],
        [one for one in _idle(reader, config.logs_stay_days, at) if one.processes],
    )


def _idle(reader: Reader, days: int, at: float) -> list[IdleAttempt]:
    if not days:
        return []
    moment = datetime.fromtimestamp(at, UTC) - timedelta(days=days)
    return idle_attempts.fetch(reader, timestamp(moment.timestamp()))


async def remove_worktree(resources: Resources, subject: Subject) -> bool:
    """Remove the worktree of an attempt after a snapshot; returns whether there was one.

    Raises:
        GitFailed: no snapshot could be taken; then it stays.
        Conflict, NotFound, ToolFailed: see `set_aside.remove`.
    """
    attempt = subject.attempt
    path = attempt.container_ref
    if path is None or attempt.worktree_deleted or await _is_in_use(resources, attempt.id):
        return False
    if await trio.to_thread.run_sync(os.path.isdir, path):
        aside = resources.paths.set_aside
        await set_aside.remove(
            resources.repositories, subject.repository, Path(path), attempt.id, aside
        )
    await resources.store.write(
        lambda tx: attempts.set_worktree_deleted(tx, attempt.id, True, now())
    )
    log.info("worktree_retired", attempt=attempt.id, worktree=path)
    return True


async def remove_logs(resources: Resources, subject: Subject) -> int:
    """Remove the raw logs of an attempt whose conversations are archived; returns their bytes.

    Raises:
        Unavailable: the disk does not want to.
    """
    attempt = subject.attempt
    if await _is_in_use(resources, attempt.id):
        return 0
    rows = await resources.store.read(lambda r: processes.of_attempt(r, attempt.id, True))
    ids = [row.id for row in rows]
    old = {
        id: await resources.store.read(lambda r, id=id: processes.may_lack_end(r, id))  # type: ignore[misc]
        for id in ids
    }
    freed = await trio.to_thread.run_sync(_remove_raw, resources.paths.executions, old)
    if freed:
        log.info("logs_retired", attempt=attempt.id, bytes=freed)
    return freed


def size_of_logs(executions: Path, ids: Iterable[str]) -> int:
    """The bytes on the disk that the raw logs of those executions take. Blocking."""
    found = 0
    for id in ids:
        for name in _RAW:
            try:
                found += os.lstat(executions / id / name).st_blocks * 512
            except OSError:
                continue  # it is not there
    return found


async def _is_in_use(resources: Resources, attempt_id: str) -> bool:
    return bool(await resources.store.read(lambda r: processes.running_of(r, attempt_id)))


def _remove_raw(executions: Path, may_lack_end: dict[str, bool]) -> int:
    freed = 0
    for id, old in may_lack_end.items():
        spool = executions / id
        if not archive.is_whole(spool / ENTRIES, id, old):
            continue  # the log is all there is of the conversation
        freed += size_of_logs(executions, [id])
        for name in _RAW:
            try:
                (spool / name).unlink(missing_ok=True)
            except OSError as error:
                raise Unavailable(f"{spool / name} cannot be removed: {error.strerror}.") from error
    return freed
