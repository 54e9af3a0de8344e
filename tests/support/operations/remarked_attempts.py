"""Attempts at which nobody works, and what a person is told about them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.rows import TaskAttempt
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import remarks


async def attempt(
    resources: Resources, repository: Path, *, subdirectory: str = "", copied: str | None = None
) -> Subject:
    """An attempt with its worktree, at which nobody works."""

    def work(tx: Tx) -> TaskAttempt:
        new = NewProject(
            name="P",
            git_repo_path=str(repository / subdirectory),
            use_existing_repo=True,
            copy_files=copied,
        )
        project = projects.insert(tx, new, new_id(), now(), subdirectory=subdirectory)
        task = tasks.insert(tx, NewTask(project_id=project.id, title="T"), new_id(), now())
        return attempts.insert(
            tx,
            id=new_id(),
            task_id=task.id,
            branch="anyon/x",
            target_branch="main",
            executor="DEMO",
            now=now(),
        )

    row = await resources.store.write(work)
    return await worktree.prepare(resources, await subject.read(resources, row.id))


async def told(resources: Resources, attempt_subject: Subject) -> str:
    """What the next log of the attempt will say."""
    found = await resources.store.read(lambda r: remarks.waiting(r, attempt_subject.attempt.id))
    return "\n".join(remark.text for remark in found)


def git(where: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    done = subprocess.run(["git", *who, *arguments], cwd=where, check=True, capture_output=True)
    return done.stdout.decode().strip()
