"""The subject of an operation: an attempt with its task and its project, read together."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from anyond.model.refusals.worktrees import NoWorktree
from anyond.model.rows import Project, Task, TaskAttempt
from anyond.operations.resources import Resources
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.transaction import Reader


class Subject(Struct, frozen=True):
    attempt: TaskAttempt
    task: Task
    project: Project

    @property
    def repository(self) -> Path:
        return self.project.repository

    @property
    def worktree(self) -> Path:
        """The attempt's worktree.

        Raises:
            Conflict: it was never made, or it was removed.
        """
        if self.attempt.container_ref is None:
            raise NoWorktree
        return Path(self.attempt.container_ref)

    @property
    def workdir(self) -> Path:
        """The directory that agents and scripts start in: the project's directory in the worktree,
        or the top if the branch does not have that directory.

        Raises:
            Conflict: see `worktree`.
        """
        place = self.worktree / self.project.subdirectory
        return place if os.path.isdir(place) else self.worktree


async def read(resources: Resources, attempt_id: str) -> Subject:
    """The attempt as it is now.

    Raises:
        NotFound: there is no such attempt.
    """

    def work(reader: Reader) -> Subject:
        attempt = attempts.get(reader, attempt_id)
        task = tasks.get(reader, attempt.task_id)
        return Subject(attempt, task, projects.get(reader, task.project_id))

    return await resources.store.read(work)
