"""Attempts with a row, a branch and a worktree."""

from __future__ import annotations

from pathlib import Path

from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.rows import TaskAttempt
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.workspace import worktree
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.transaction import Tx


async def attempt(
    resources: Resources, repository: Path, branch: str = "anyon/x"
) -> subject.Subject:
    """An attempt with its worktree, at which nobody works."""
    return await worktree.prepare(resources, await new_attempt(resources, repository, branch))


async def new_attempt(
    resources: Resources, repository: Path, branch: str = "anyon/x"
) -> subject.Subject:
    """An attempt whose worktree was not made yet."""

    def work(tx: Tx) -> TaskAttempt:
        new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
        project = projects.by_path(tx, str(repository)) or projects.insert(tx, new, new_id(), now())
        task = tasks.insert(tx, NewTask(project_id=project.id, title="T"), new_id(), now())
        return attempts.insert(
            tx,
            id=new_id(),
            task_id=task.id,
            branch=branch,
            target_branch="main",
            executor="DEMO",
            now=now(),
        )

    row = await resources.store.write(work)
    return await subject.read(resources, row.id)
