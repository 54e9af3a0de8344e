"""Binding a project to its repository."""

from __future__ import annotations

import os
from pathlib import Path

import trio
from msgspec.structs import replace

from anyond.git.program.text import as_utf8
from anyond.git.repo import branches, inspection
from anyond.model.http.bodies import NewProject, ProjectPatch
from anyond.model.ids import new_id, now
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import Branch, Project
from anyond.operations.resources import Resources
from anyond.operations.workspace import copy_files, worktree
from anyond.operations.workspace import git_programs as programs
from anyond.store.board import projects
from anyond.store.engine.transaction import Tx
from anyond.store.upkeep import git_programs

_MOST_VARIABLES = 65_536
"""Characters; a system starts no program whose environment is much larger."""


async def create(resources: Resources, new: NewProject) -> Project:
    """A project on an existing repository, or on a new one that is made for it.

    Raises:
        Invalid: a bad name or path; no repository there (or a directory with other things in it).
        Conflict: another project has that repository.
    """
    path = _absolute(new.git_repo_path)
    copy_files.patterns(new.copy_files)
    _must_be_name(new.name)
    _check_environment(new.environment)
    if new.use_existing_repo:
        info = await inspection.inspect(path)
    else:
        async with resources.repositories.making(path):
            info = await inspection.init(path)
    path, subdirectory = await _usable(info, path)
    fresh = replace(new, name=new.name.strip(), git_repo_path=str(path))

    def write(tx: Tx) -> Project:
        project = projects.insert(tx, fresh, new_id(), now(), subdirectory=subdirectory)
        _take_over(tx, project, info)
        return project

    project = await resources.store.write(write)
    await programs.restore(resources, project)
    return project


def _take_over(tx: Tx, project: Project, info: inspection.RepoInfo) -> None:
    # An earlier project may have had the repository, and what a run of its agent has changed of
    # what git runs there is no more accepted than it was.
    if info.common_dir is not None:
        git_programs.take_over(tx, project.id, str(info.common_dir))


async def update(resources: Resources, project_id: str, patch: ProjectPatch) -> Project:
    """Change what `patch` names; "" clears, null keeps.

    Raises:
        NotFound: there is no such project.
        Invalid: see `create`.
    """
    await resources.store.read(lambda r: projects.get(r, project_id))
    copy_files.patterns(patch.copy_files)
    _check_environment(patch.environment)
    if patch.name is not None:
        _must_be_name(patch.name)
    subdirectory, info = "", None
    if patch.git_repo_path is not None:
        path = _absolute(patch.git_repo_path)
        info = await inspection.inspect(path)
        path, subdirectory = await _usable(info, path)
        patch = replace(patch, git_repo_path=str(path))

    def write(tx: Tx) -> Project:
        moved = patch.git_repo_path not in {None, projects.get(tx, project_id).git_repo_path}
        if moved:
            git_programs.delete(tx, project_id)
        patched = projects.patch(tx, project_id, patch, now(), subdirectory=subdirectory)
        if moved and info is not None:
            _take_over(tx, patched, info)
        return patched

    updated = await resources.store.write(write)
    if patch.git_repo_path is not None:
        await programs.restore(resources, updated)
        await worktree.find_all_again(resources, project_id)
    return updated


async def list_branches(resources: Resources, project_id: str) -> list[Branch]:
    """The branches of the project's repository, local and remote."""
    project = await resources.store.read(lambda r: projects.get(r, project_id))
    return await branches.list_branches(project.repository)


def _absolute(text: str) -> Path:
    # Unlike that of `Path`, this leaves the home of a user who does not exist as it is.
    path = Path(os.path.expanduser(text))
    if not text.strip() or "\x00" in text or not path.is_absolute():
        raise Invalid("git_repo_path", "must be an absolute path.")
    return path


def _must_be_name(name: str) -> None:
    if not name.strip():
        raise Invalid("name", "must not be empty.")


def _check_environment(environment: dict[str, str | None] | None) -> None:
    for name, value in (environment or {}).items():
        if not name or "=" in name or "\0" in name or "\0" in (value or ""):
            raise Invalid("environment", f"{name!r} cannot be set in an environment.")
    if sum(len(n) + len(v or "") for n, v in (environment or {}).items()) > _MOST_VARIABLES:
        raise Invalid("environment", f"has more than {_MOST_VARIABLES:,} characters.")


async def _usable(info: inspection.RepoInfo, path: Path) -> tuple[Path, str]:
    """The directory of the project as git spells it, and its place in the repository."""
    if not info.is_repo:
        raise Invalid("git_repo_path", f"there is no git repository at {path}.")
    if info.root is None or info.bare:
        text = f"{path} is a bare repository; a working tree is needed."
        if await trio.to_thread.run_sync(os.path.lexists, path / ".git"):
            text += " If files are checked out there, set core.bare to false; else name a worktree."
        raise Invalid("git_repo_path", text)
    real = Path(await trio.to_thread.run_sync(os.path.realpath, path))
    for place in (info.root, info.common_dir, real):
        if place is not None and as_utf8(os.fspath(place)) != os.fspath(place):
            # Neither clients nor the database could be told where it is.
            named = as_utf8(os.fspath(place))
            raise Invalid("git_repo_path", f"the name of {named} is not UTF-8: give it another.")
    if "\n" in str(info.root) or "\n" in str(info.common_dir):
        # Where a checkout and its repository find each other, git keeps a path a line.
        raise Invalid("git_repo_path", "git makes no worktrees of a path with a line break in it.")
    if not real.is_relative_to(info.root):
        return info.root, ""
    below = real.relative_to(info.root)
    return real, "" if below == Path() else str(below)
