"""Checkouts whose git directories git is given: the projects', and their attempts'."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import structlog

from anyond.git.disk import locations
from anyond.git.program import guard
from anyond.git.program.command import settings
from anyond.git.program.guard import Guard
from anyond.git.repo import repository
from anyond.model.errors import AnyondError
from anyond.model.rows import Project
from anyond.operations.resources import Resources
from anyond.store.board import attempts
from anyond.store.upkeep import cleanups
from anyond.store.upkeep.cleanups import Cleanup

log = structlog.get_logger()


async def know(resources: Resources, project: Project, common_dir: Path | None = None) -> None:
    """Know those of one project. A repository that is not there is known as soon as it is.

    Args:
        common_dir: what was the repository when the project was added; a repository that is there
            now instead of it is not taken for it.
    """
    try:
        shared = await repository.adopt(Path(project.git_repo_path))
    except AnyondError as error:
        log.warning("repository_not_known", project=project.id, why=str(error))
        shared = None
    if common_dir is not None and shared != common_dir and (common_dir / "HEAD").exists():
        shared, top = common_dir, Path(project.git_repo_path)
        locations.remember(top, common_dir, common_dir if common_dir.parent == top else None)
    shared = shared or common_dir
    if shared is None:
        return
    for attempt in await resources.store.read(lambda r: attempts.of_project(r, project.id)):
        if attempt.container_ref is not None:
            locations.remember(Path(attempt.container_ref), shared)


async def know_removed(resources: Resources) -> None:
    """Know the worktrees of deleted attempts that a daemon did not live to remove.

    One whose repository is not there is known when it is removed.
    """
    for job in await resources.store.read(cleanups.fetch_all):
        try:
            await know_removed_worktree(job)
        except AnyondError as error:
            log.warning("repository_not_known", worktree=job.worktree_path, why=str(error))


async def know_removed_worktree(job: Cleanup) -> None:
    """Know the worktree of a deleted attempt; nothing if its repository is not there.

    Whatever lies in it leads git nowhere else, and what a run has changed of what git runs there
    is withheld as before.

    Raises:
        AnyondError: git could not be asked.
    """
    repo, path = Path(job.repo_path), Path(job.worktree_path)
    if locations.locate(repo) is None:
        await repository.adopt(repo)
    place = locations.locate(repo)
    if place is None or place.common_dir is None:
        return
    locations.remember(path, place.common_dir)
    if not job.git_programs_withheld:
        return
    held = guard.of(place.common_dir)
    if held is None:
        seen = await guard.take(place, partial(settings, repo))
        held = Guard(repo, dict(seen.shared))
        guard.install(place.common_dir, held)
    held.withheld_worktrees.add(job.worktree_path)
