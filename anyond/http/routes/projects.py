"""The chapter Projects: repositories that a person has handed over."""

from __future__ import annotations

from anyond.api import projects as api
from anyond.api.declaration.params import Nothing, OfProject
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.permissions import CALLER
from anyond.model.http.answers import EditorOpened, GitPrograms
from anyond.model.http.bodies import AcceptGitPrograms, NewProject, OpenEditor, ProjectPatch
from anyond.model.http.search import SearchResult
from anyond.model.rows import Branch, Project
from anyond.store.board import projects


async def list_projects(backend: Backend, _: Nothing) -> list[Project]:
    found = await backend.store.read(projects.fetch_all)
    reached = CALLER.get().projects
    return found if reached is None else [one for one in found if one.id in reached]


async def get_project(backend: Backend, params: OfProject) -> Project:
    return await backend.store.read(lambda r: projects.get(r, params.project_id))


async def create_project(backend: Backend, _: Nothing, new: NewProject) -> Project:
    return await backend.services.projects.create(new)


async def update_project(backend: Backend, params: OfProject, patch: ProjectPatch) -> Project:
    return await backend.services.projects.update(params.project_id, patch)


async def list_branches(backend: Backend, params: OfProject) -> list[Branch]:
    return await backend.services.projects.branches(params.project_id)


async def search_files(backend: Backend, params: api.Search) -> list[SearchResult]:
    return await backend.services.searches.find(params.project_id, params.q.strip(), params.mode)


async def get_git_programs(backend: Backend, params: OfProject) -> GitPrograms:
    return await backend.services.projects.git_programs(params.project_id)


async def accept_git_programs(
    backend: Backend, params: OfProject, body: AcceptGitPrograms
) -> GitPrograms:
    return await backend.services.projects.accept_git_programs(params.project_id, body)


async def open_in_editor(backend: Backend, params: OfProject, body: OpenEditor) -> EditorOpened:
    return await backend.services.editors.open_project(params.project_id, body)


async def delete_project(backend: Backend, params: OfProject) -> None:
    await backend.services.projects.delete(params.project_id)


ROUTES = (
    route(api.LIST_PROJECTS, list_projects),
    route(api.GET_PROJECT, get_project),
    route(api.CREATE_PROJECT, create_project),
    route(api.UPDATE_PROJECT, update_project),
    route(api.GET_PROJECT_BRANCHES, list_branches),
    route(api.SEARCH_PROJECT_FILES, search_files),
    route(api.GET_PROGRAMS_OF_GIT, get_git_programs),
    route(api.ACCEPT_PROGRAMS_OF_GIT, accept_git_programs),
    route(api.OPEN_PROJECT_IN_EDITOR, open_in_editor),
    route(api.DELETE_PROJECT, delete_project),
)
