"""Requests about projects."""

from __future__ import annotations

import trio

from anyond.actors.attempts import Attempts
from anyond.model.http.answers import GitPrograms
from anyond.model.http.bodies import AcceptGitPrograms, NewProject, ProjectPatch
from anyond.model.rows import Branch, Project
from anyond.operations import projects
from anyond.operations.resources import Resources
from anyond.operations.workspace import program_acceptance, removal
from anyond.store.board import attempts
from anyond.watchers.janitor import Janitor


class ProjectRequests:
    """The requests of clients that concern projects."""

    def __init__(self, resources: Resources, attempts: Attempts, janitor: Janitor) -> None:
        self._resources = resources
        self._attempts = attempts
        self._janitor = janitor

    async def create(self, new: NewProject) -> Project:
        with trio.CancelScope(shield=True):  # a repository is not left half-made
            project = await projects.create(self._resources, new)
        return project

    async def update(self, project_id: str, patch: ProjectPatch) -> Project:
        return await projects.update(self._resources, project_id, patch)

    async def delete(self, project_id: str) -> None:
        gone = await self._resources.store.read(lambda r: attempts.of_project(r, project_id))
        await self._attempts.end_services(*(attempt.id for attempt in gone))
        hold_inactive = self._attempts.hold_inactive(*(attempt.id for attempt in gone))
        with trio.CancelScope(shield=True), hold_inactive:
            await removal.delete_project(self._resources, project_id)
        self._janitor.wake()

    async def git_programs(self, project_id: str) -> GitPrograms:
        return await program_acceptance.state(self._resources, project_id)

    async def accept_git_programs(self, project_id: str, body: AcceptGitPrograms) -> GitPrograms:
        with trio.CancelScope(shield=True):
            accepted = await program_acceptance.accept(self._resources, project_id, body)
        return accepted

    async def branches(self, project_id: str) -> list[Branch]:
        return await projects.list_branches(self._resources, project_id)
