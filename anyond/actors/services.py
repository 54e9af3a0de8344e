"""Everything that the HTTP front can ask, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from anyond.actors.attempt_actions import AttemptActions
from anyond.actors.attempts import Attempts
from anyond.actors.availability import Agents
from anyond.actors.diffs import Diffs
from anyond.actors.drafts import DraftRequests
from anyond.actors.images import ImageRequests
from anyond.actors.janitor import Janitor
from anyond.actors.logs import Logs
from anyond.actors.publishing import Publishing
from anyond.actors.requests import AttemptRequests
from anyond.actors.searches import Searches
from anyond.actors.sign_in import GitHubSignIn
from anyond.actors.variant_forms import VariantForms
from anyond.model.answers import Capability, GitPrograms
from anyond.model.bodies import AcceptGitPrograms, NewProject, ProjectPatch
from anyond.model.rows import Branch, Project
from anyond.model.settings import Executor
from anyond.operations import git_programs, projects, removal
from anyond.operations.rooms import Rooms
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store import attempts
from anyond.store.database import Store


@dataclass(frozen=True)
class Settings:
    """What a person can set.

    Args:
        user_id: random, stable, never sent anywhere but to the person's own clients.
    """

    config: ConfigFile
    profiles: Profiles
    user_id: str


class ProjectRequests:
    """The requests of clients that concern projects."""

    def __init__(self, rooms: Rooms, awake: Attempts, janitor: Janitor) -> None:
        self._rooms = rooms
        self._awake = awake
        self._janitor = janitor

    async def create(self, new: NewProject) -> Project:
        with trio.CancelScope(shield=True):  # a repository is not left half-made
            project = await projects.create(self._rooms, new)
        return project

    async def update(self, project_id: str, patch: ProjectPatch) -> Project:
        return await projects.update(self._rooms, project_id, patch)

    async def delete(self, project_id: str) -> None:
        gone = await self._rooms.store.read(lambda r: attempts.of_project(r, project_id))
        await self._awake.end_services(*(attempt.id for attempt in gone))
        kept_asleep = self._awake.kept_asleep(*(attempt.id for attempt in gone))
        with trio.CancelScope(shield=True), kept_asleep:
            await removal.delete_project(self._rooms, project_id)
        self._janitor.wake()

    async def git_programs(self, project_id: str) -> GitPrograms:
        return await git_programs.state(self._rooms, project_id)

    async def accept_git_programs(self, project_id: str, wanted: AcceptGitPrograms) -> GitPrograms:
        with trio.CancelScope(shield=True):
            accepted = await git_programs.accept(self._rooms, project_id, wanted)
        return accepted

    async def branches(self, project_id: str) -> list[Branch]:
        return await projects.list_branches(self._rooms, project_id)


@dataclass(frozen=True)
class Services:
    """What the routes work with; `closing` is set when all streams are to end."""

    store: Store
    settings: Settings
    projects: ProjectRequests
    attempts: AttemptRequests
    attempt_actions: AttemptActions
    publishing: Publishing
    sign_in: GitHubSignIn
    images: ImageRequests
    drafts: DraftRequests
    logs: Logs
    diffs: Diffs
    searches: Searches
    agents: Agents
    forms: VariantForms
    capabilities: Mapping[Executor, list[Capability]]
    closing: trio.Event
