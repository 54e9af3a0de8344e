"""Worktrees, snapshots and programs that no row is about: a start reports them, and leaves them
alone.

All of it may belong to rows that a restored backup does not have.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog
import trio

from anyond.git.snapshots import snapshot_refs
from anyond.model.errors import AnyondError
from anyond.model.ids import is_id
from anyond.operations.resources import Resources
from anyond.operations.workspace import worktree
from anyond.procs.shims.shim_state import Lock
from anyond.store.board import attempts, projects
from anyond.store.runs import processes
from anyond.store.upkeep import cleanups, expiries, gone_files, planned_worktrees

log = structlog.get_logger()


async def report(resources: Resources) -> None:
    """Name in the log what no row is about. Changes nothing."""
    await _programs(resources)
    await _worktrees(resources)
    await _snapshots(resources)


async def _programs(resources: Resources) -> None:
    """Name the executions that are at work and that nobody can see or stop by a request."""
    root = resources.launcher.root
    # The directories first: a process that is written down meanwhile is known.
    found = await trio.to_thread.run_sync(lambda: {path.name for path in root.iterdir()})
    known = await resources.store.read(processes.all_ids)
    known |= await resources.store.read(lambda r: gone_files.names(r, "spool"))
    unknown = [name for name in sorted(found - known) if is_id(name)]
    at_work = [name for name in unknown if await trio.to_thread.run_sync(_is_at_work, root / name)]
    if at_work:
        log.warning(
            "unknown_programs",
            count=len(at_work),
            some=at_work[:5],
            where=str(root),
            hint="the pids are in run.json of each",
        )


def _is_at_work(spool: Path) -> bool:
    with Lock(spool) as lock:
        return not lock.taken()


async def _worktrees(resources: Resources) -> None:
    root = worktree.root(resources)
    # The directories first: one that is made meanwhile is known.
    found = await trio.to_thread.run_sync(_directories, root)
    rows = await resources.store.read(attempts.fetch_all)
    paths = [row.container_ref for row in rows if row.container_ref is not None]
    paths += [job.worktree_path for job in await resources.store.read(cleanups.fetch_all)]
    paths += await resources.store.read(planned_worktrees.paths)
    unknown = await trio.to_thread.run_sync(_names_without, root, found, paths)
    _log("worktree", root, unknown)


async def _snapshots(resources: Resources) -> None:
    """Name the attempts without a row of which a repository has snapshots."""
    for project in await resources.store.read(projects.fetch_all):
        repository = project.repository
        try:
            if not await trio.to_thread.run_sync(os.path.isdir, repository):
                continue
            found = {
                snapshot.attempt_id for snapshot in await snapshot_refs.list_snapshots(repository)
            }
        except AnyondError as error:
            log.info("snapshots_not_listed", project=project.id, why=str(error))
            continue
        # The snapshots first: those of an attempt that is made meanwhile are known.
        known = {row.id for row in await resources.store.read(attempts.fetch_all)}
        known |= await resources.store.read(expiries.attempt_ids)
        _log("snapshot", repository, found - known)


def _log(kind: str, root: Path, names: set[str]) -> None:
    if names:
        log.warning(
            "unknown_files", kind=kind, count=len(names), some=sorted(names)[:5], where=str(root)
        )


def _directories(root: Path) -> set[str]:
    """Those in the directory of each project."""
    found = set()
    for project in _below(root):
        found.update(_below(project))
    return found


def _names_without(root: Path, found: set[str], paths: list[str]) -> set[str]:
    there = os.path.realpath(root)
    known = {os.path.realpath(path) for path in paths}
    return {os.path.relpath(path, there) for path in found - known}


def _below(directory: Path | str) -> set[str]:
    try:
        with os.scandir(directory) as entries:
            return {os.path.realpath(e.path) for e in entries if e.is_dir(follow_symlinks=False)}
    except OSError:  # there is none yet, or nobody may look
        return set()
