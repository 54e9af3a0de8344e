"""Deleting tasks and projects: rows at once, directories later, never without a way back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import structlog
import trio

from anyond.git.commits import lost_branch, saved_commits
from anyond.git.disk import dead_locks, scratch, survivors
from anyond.git.files import odd_files
from anyond.git.program import guard
from anyond.git.repo.repository import common_dir, git_dir
from anyond.git.snapshots import inner_checkouts, snapshot_refs
from anyond.git.submodules import submodule_commits
from anyond.git.worktree import repair, worktrees
from anyond.model.errors import AnyondError
from anyond.model.ids import is_id, new_id, now, seconds, timestamp
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ProcessStatus, Project, TaskAttempt
from anyond.operations.resources import Resources
from anyond.operations.workspace import known_checkouts, set_aside, unknown_files, worktree
from anyond.procs.shims.launcher import Alive
from anyond.procs.shims.shim_state import Lock
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes
from anyond.store.upkeep import (
    cleanups,
    data_directory,
    days,
    expiries,
    git_programs,
    gone_files,
    planned_worktrees,
)
from anyond.store.upkeep.cleanups import Cleanup
from anyond.store.upkeep.expiries import Expiry

log = structlog.get_logger()

SNAPSHOTS_STAY_S = 30 * 24 * 3600.0
"""Seconds that snapshots outlive their attempt."""

SNAPSHOTS_STAY_DAYS = 30
"""The same in days that a daemon was at work; see `store.days`."""


async def delete_task(resources: Resources, task_id: str) -> None:
    """Delete a task with its attempts; their worktrees are removed by `clean_up`.

    Raises:
        NotFound: there is no such task.
        Busy: something runs in one of its attempts.
    """

    def work(tx: Tx) -> None:
        task = tasks.get(tx, task_id)
        if processes.running_of_task(tx, task_id):
            raise Busy.inside("an attempt of this task")
        _schedule(tx, resources, attempts.fetch_all(tx, task_id), projects.get(tx, task.project_id))
        tasks.delete(tx, task_id, now())

    await resources.store.write(work)


async def delete_attempt(resources: Resources, attempt_id: str) -> None:
    """Delete one attempt of a task; its branch stays, its worktree is removed by `clean_up`.

    Raises:
        NotFound: there is no such attempt.
        Busy: something runs in it.
    """

    def work(tx: Tx) -> None:
        attempt = attempts.get(tx, attempt_id)
        running = processes.of_attempt(tx, attempt_id, True)
        if any(one.status is ProcessStatus.RUNNING for one in running):
            raise Busy.inside("this attempt")
        project = projects.get(tx, tasks.get(tx, attempt.task_id).project_id)
        _schedule(tx, resources, [attempt], project)
        attempts.delete(tx, attempt_id, now())

    await resources.store.write(work)


async def delete_project(resources: Resources, project_id: str) -> None:
    """Delete a project with its tasks; the repository itself is left alone.

    Raises:
        NotFound: there is no such project.
        Busy: something runs in one of its attempts.
    """

    def work(tx: Tx) -> None:
        project = projects.get(tx, project_id)
        for task in tasks.all_with_status(tx, project_id):
            if processes.running_of_task(tx, task.id):
                raise Busy.inside("an attempt of this project")
            _schedule(tx, resources, attempts.fetch_all(tx, task.id), project)
        git_programs.delete(tx, project_id)
        projects.delete(tx, project_id, now())

    await resources.store.write(work)


def _schedule(tx: Tx, resources: Resources, gone: list[TaskAttempt], project: Project) -> None:
    repository = str(project.repository)
    elsewhere = data_directory.elsewhere(tx)
    for attempt in gone:
        if attempt.id in elsewhere:
            continue  # worktree and snapshots are that directory's
        # One that was never written down may be there all the same, half made by a git that was
        # killed, or still is at it.
        path = (
            attempt.container_ref
            or planned_worktrees.get(tx, attempt.id)
            or str(worktree.planned_path(resources, project, attempt))
        )
        due = timestamp(seconds(now()) + SNAPSHOTS_STAY_S)
        day = days.current(tx) + SNAPSHOTS_STAY_DAYS
        expiries.put(
            tx, Expiry(attempt_id=attempt.id, repo_path=repository, due_at=due, due_day=day)
        )
        cleanups.insert(
            tx,
            Cleanup(
                id=new_id(),
                worktree_path=path,
                repo_path=repository,
                attempt_id=attempt.id,
                branch=attempt.branch,
                created_at=now(),
                git_programs_withheld=attempt.git_programs_withheld,
            ),
        )


async def clean_up(resources: Resources, day: int = 0) -> None:
    """Remove what belongs to deleted attempts: worktrees, after a snapshot, and spools.

    Snapshots go when their time has come. What cannot be removed now stays scheduled and is tried
    again at the next start. Files that no row is about stay; see `unknown_files`.

    Args:
        day: today's number; see `store.days`.
    """
    for job in await resources.store.read(cleanups.fetch_all):
        try:
            await _remove_worktree(resources, job)
        except AnyondError as error:
            log.warning("not_cleaned_up", worktree=job.worktree_path, why=str(error))
            continue
        await resources.store.write(lambda tx, job=job: cleanups.delete(tx, job.id))  # type: ignore[misc]
        guard.forget_worktree(job.worktree_path)
    await _expire(resources)
    await _delete_spools(resources)
    await _look_for_unknown_spools(resources, day)


async def _delete_spools(resources: Resources) -> None:
    """Delete the spools of processes whose rows were deleted, unless their shims live."""
    root, done = resources.launcher.root, []
    for name in await resources.store.read(lambda r: gone_files.names(r, "spool")):
        if is_id(name) and not isinstance(resources.launcher.look(name), Alive):
            await trio.to_thread.run_sync(shutil.rmtree, root / name, True)
            if not await trio.to_thread.run_sync(os.path.lexists, root / name):
                done.append(name)
    if done:
        await resources.store.write(lambda tx: gone_files.delete(tx, "spool", done))


async def _look_for_unknown_spools(resources: Resources, day: int) -> None:
    root = resources.launcher.root
    # The directories first: a process that is written down meanwhile is known.
    found = await trio.to_thread.run_sync(lambda: {path.name for path in root.iterdir()})
    known = await resources.store.read(processes.all_ids)
    gone = await resources.store.read(lambda r: gone_files.names(r, "spool"))
    unknown = {name for name in found - known - gone if is_id(name)}

    def is_dead(name: str) -> bool:
        with Lock(root / name) as lock:
            return lock.taken()

    await unknown_files.look_after(resources, "spool", root, unknown, day, may_move=is_dead)


async def sweep(resources: Resources, before: float) -> None:
    """Delete what git operations had put aside in worktrees when their daemon was killed.

    Args:
        before: Unix seconds; what is younger may be in use.
    """
    for own in await _git_dirs(resources):
        count = await trio.to_thread.run_sync(scratch.sweep, own, before)
        if count:
            log.info("swept", git_dir=str(own), directories=count)


async def sweep_locks(resources: Resources) -> None:
    """Remove the locks that a killed git has left: of references, and in attempts' worktrees."""
    for project in await resources.store.read(projects.fetch_all):
        try:
            await dead_locks.sweep_refs(await common_dir(project.repository))
        except AnyondError as error:
            log.info("locks_not_swept", project=project.id, why=str(error))
    for own in await _git_dirs(resources):
        await dead_locks.sweep_checkout(own)


async def _git_dirs(resources: Resources) -> list[Path]:
    """Those of all attempts' worktrees, also of such that were not complete yet at a kill."""

    def paths(reader: Reader) -> list[str]:
        elsewhere = data_directory.elsewhere(reader)
        ours = [row for row in attempts.fetch_all(reader) if row.id not in elsewhere]
        made = [row.container_ref for row in ours if row.container_ref is not None]
        planned = set(planned_worktrees.attempt_ids(reader)) - elsewhere.keys()
        return made + [path for id in planned if (path := planned_worktrees.get(reader, id))]

    found = []
    for path in await resources.store.read(paths):
        own = await trio.to_thread.run_sync(git_dir, Path(path))
        if own is not None:
            found.append(own)
    return found


async def _expire(resources: Resources) -> None:
    """Forget the snapshots of attempts that were deleted long ago."""
    moment = now()
    for expiry in await resources.store.read(lambda r: expiries.due(r, moment)):
        repository = Path(expiry.repo_path)
        try:
            if await trio.to_thread.run_sync(os.path.isdir, repository):
                for snapshot in await snapshot_refs.list_snapshots(repository, expiry.attempt_id):
                    await snapshot_refs.delete(repository, snapshot.ref)
                await saved_commits.delete_all(repository, expiry.attempt_id)
                await submodule_commits.forget(repository, expiry.attempt_id)
        except AnyondError as error:
            log.warning("not_expired", attempt=expiry.attempt_id, why=str(error))
            continue
        gone = expiry.attempt_id
        await resources.store.write(lambda tx, gone=gone: expiries.delete(tx, gone))  # type: ignore[misc]


async def _remove_worktree(resources: Resources, job: Cleanup) -> None:
    path = Path(job.worktree_path)
    repository = Path(job.repo_path)
    if not await trio.to_thread.run_sync(os.path.isdir, repository):
        if not await trio.to_thread.run_sync(os.path.isdir, path):
            return
        # Moved, or on a disk that is not there just now. Without it nothing can be kept.
        raise NotFound("repository", repository)
    await known_checkouts.know_removed_worktree(job)
    await survivors.let_finish((str(path),))
    if not await worktrees.is_left(repository, path):
        return
    if await trio.to_thread.run_sync(os.path.isdir, path):
        await trio.to_thread.run_sync(odd_files.set_aside, path, await common_dir(repository))
        if job.branch is not None:
            # Somebody may have cut the link between the two; what is there is kept all the same.
            await repair.ensure(resources.repositories, repository, path, job.branch)
            await lost_branch.bring_back(repository, path, job.branch, job.attempt_id)
        await inner_checkouts.keep(repository, path, job.attempt_id)
        await set_aside.remove(
            resources.repositories, repository, path, job.attempt_id, resources.paths.set_aside
        )
    else:
        await worktrees.remove(resources.repositories, repository, path)
    await inner_checkouts.forget(repository, path)
