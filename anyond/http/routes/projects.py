"""The chapter Projects: repositories that a person has handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Blueprint, Response

from anyond.http import decode
from anyond.http.decode import line, prose
from anyond.http.envelope import answer, cached
from anyond.http.query import identity
from anyond.model.bodies import AcceptGitPrograms, NewProject, ProjectPatch
from anyond.store import projects

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`/api/projects` and below."""
    chapter = Blueprint("projects", __name__, url_prefix="/api/projects")
    store = services.store

    @chapter.get("")
    async def all_projects() -> Response:
        return cached(await store.read(projects.all))

    @chapter.get("/<key>")
    async def one(key: str) -> Response:
        id = identity(key, "project_id")
        return cached(await store.read(lambda r: projects.get(r, id)))

    @chapter.post("")
    async def create() -> Response:
        new = await decode.body(NewProject)
        line(new.name, "name")
        line(new.git_repo_path, "git_repo_path")
        _check_scripts(new)
        return answer(await services.projects.create(new))

    @chapter.put("/<key>")
    async def update(key: str) -> Response:
        id = identity(key, "project_id")
        patch = checked(await decode.body(ProjectPatch))
        return answer(await services.projects.update(id, patch))

    @chapter.delete("/<key>")
    async def delete(key: str) -> Response:
        await services.projects.delete(identity(key, "project_id"))
        return answer(None)

    @chapter.get("/<key>/branches")
    async def branches(key: str) -> Response:
        return cached(await services.projects.branches(identity(key, "project_id")))

    @chapter.get("/<key>/git-programs")
    async def git_programs(key: str) -> Response:
        return answer(await services.projects.git_programs(identity(key, "project_id")))

    @chapter.post("/<key>/git-programs/accept")
    async def accept_git_programs(key: str) -> Response:
        id = identity(key, "project_id")
        wanted = await decode.optional_body(AcceptGitPrograms) or AcceptGitPrograms()
        if wanted.digest is not None:
            line(wanted.digest, "digest")
        return answer(await services.projects.accept_git_programs(id, wanted))

    return chapter


def checked(patch: ProjectPatch) -> ProjectPatch:
    """`patch`, if all in it is possible. Raises `Invalid`."""
    if patch.name is not None:
        line(patch.name, "name")
    if patch.git_repo_path is not None:
        line(patch.git_repo_path, "git_repo_path")
    _check_scripts(patch)
    return patch


def _check_scripts(body: NewProject | ProjectPatch) -> None:
    prose(body.setup_script, "setup_script")
    prose(body.dev_script, "dev_script")
    prose(body.cleanup_script, "cleanup_script")
    prose(body.copy_files, "copy_files")
