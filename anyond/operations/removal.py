"""How tasks and projects go: rows at once, directories afterwards, work never without a way back."""

from __future__ import annotations

import shutil
from pathlib import Path

import structlog
import trio

from anyond.git import snapshots, worktrees
from anyond.model.errors import AnyondError, Busy
from anyond.model.ids import is_id
from anyond.operations.rooms import Rooms
from anyond.procs.launcher import Alive
from anyond.store import cleanups, processes, projects, tasks
from anyond.store.cleanups import Cleanup
from anyond.store.transaction import Tx

log = structlog.get_logger()


async def delete_task(rooms: Rooms, task_id: str) -> None:
    """Delete a task with its attempts; their worktrees are removed by `clean_up`.

    Raises:
        NotFound: there is no such task.
        Busy: something runs in one of its attempts.
    """

    def work(tx: Tx) -> None:
        task = tasks.get(tx, task_id)
        if processes.running_of_task(tx, task_id):
            raise Busy("Something runs in an attempt of this task; stop it first.")
        repository = projects.get(tx, task.project_id).git_repo_path
        cleanups.schedule_task(tx, task_id, repository)
        tasks.delete(tx, task_id)

    await rooms.store.write(work)


async def delete_project(rooms: Rooms, project_id: str) -> None:
    """Delete a project with its tasks; the repository itself is left alone.

    Raises:
        NotFound: there is no such project.
        Busy: something runs in one of its attempts.
    """

    def work(tx: Tx) -> None:
        project = projects.get(tx, project_id)
        for task in tasks.ids_of_project(tx, project_id):
            if processes.running_of_task(tx, task):
                raise Busy("Something runs in an attempt of this project; stop it first.")
            cleanups.schedule_task(tx, task, project.git_repo_path)
        projects.delete(tx, project_id)

    await rooms.store.write(work)


async def clean_up(rooms: Rooms) -> None:
    """Remove what belongs to deleted attempts: worktrees, after a snapshot, and spools.

    What cannot be removed now stays scheduled and is tried again at the next start.
    """
    for job in await rooms.store.read(cleanups.all):
        try:
            await _remove_worktree(rooms, job)
        except AnyondError as error:
            log.warning("not_cleaned_up", worktree=job.worktree_path, why=str(error))
            continue
        await rooms.store.write(lambda tx, job=job: cleanups.done(tx, job.id))  # type: ignore[misc]
    known = await rooms.store.read(processes.all_ids)
    root = rooms.launcher.root
    for directory in await trio.to_thread.run_sync(lambda: sorted(root.iterdir())):
        name = directory.name
        if is_id(name) and name not in known and not isinstance(rooms.launcher.look(name), Alive):
            await trio.to_thread.run_sync(shutil.rmtree, directory, True)


async def _remove_worktree(rooms: Rooms, job: Cleanup) -> None:
    repository = Path(job.repo_path)
    if not repository.is_dir():
        return
    worktree = Path(job.worktree_path)
    if worktree.is_dir():
        await snapshots.take(rooms.repositories, repository, worktree, job.attempt_id, "delete")
        await worktrees.remove(rooms.repositories, repository, worktree)
