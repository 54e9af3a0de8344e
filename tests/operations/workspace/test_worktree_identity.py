"""A worktree is where its row says, and the attempt's: that is looked at and mended."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from anyond.git.commits import commit
from anyond.git.files import ignored_copies
from anyond.git.repo import checkouts
from anyond.git.repo.repository import Repositories
from anyond.git.worktree import repair
from anyond.model.http.bodies import NewProject, ProjectPatch
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.operations import projects as project_operations
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.turn import after_run
from anyond.operations.workspace import worktree
from anyond.store.board import projects
from tests.support.operations.remarked_attempts import attempt, git, told


def files(where: Path) -> list[str]:
    return sorted(file.name for file in where.iterdir() if file.name != ".git")


async def test_a_repository_that_an_agent_made_in_the_worktree_is_moved_out_and_the_work_stays(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    path = about.worktree
    (path / ".git").unlink()
    git(path, "init", "-q", "-b", "anyon/x")
    (path / "work.txt").write_text("work\n")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "In a repository of its own")
    stranger = git(path, "rev-parse", "HEAD")
    about = await worktree.find_again(resources, about)
    assert repair.belongs(path, repository)
    oid = await commit.commit_all(path, "work", "anyon/x")
    assert git(repository, "rev-parse", "anyon/x") == oid
    assert git(repository, "show", "anyon/x:work.txt") == "work"
    saved = path.with_name(f"{path.name}.git.saved-1")
    assert git(saved, "rev-parse", "HEAD") == stranger
    assert str(saved) in await told(resources, about)


@pytest.mark.parametrize("how", ["deleted", "elsewhere", "main", "pipe", "two names"])
async def test_a_link_that_was_cut_or_bent_leads_back(
    resources: Resources, repository: Path, tmp_path: Path, how: str
) -> None:
    about = await attempt(resources, repository)
    path = about.worktree
    (path / "work.txt").write_text("work\n")
    link = path / ".git"
    link.unlink()
    if how == "elsewhere":
        git(tmp_path, "init", "-q", "other")
        link.write_text(f"gitdir: {tmp_path}/other/.git\n")
    elif how == "main":
        link.symlink_to(repository / ".git")
    elif how == "pipe":
        os.mkfifo(link)
    elif how == "two names":
        (tmp_path / "persons").write_text("mine\n")
        link.hardlink_to(tmp_path / "persons")
    before = git(repository, "rev-parse", "main")
    about = await worktree.prepare(resources, about)
    assert repair.belongs(about.worktree, repository)
    assert await checkouts.current_branch(about.worktree) == "anyon/x"
    assert git(repository, "rev-parse", "main") == before
    assert git(repository, "status", "--porcelain") == ""
    assert (await told(resources, about)) != ""
    assert files(about.worktree) == ["work.txt"]
    if how == "two names":
        assert (tmp_path / "persons").read_text() == "mine\n"


async def test_a_data_directory_that_was_moved_takes_its_worktrees_along(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    about = await attempt(resources, repository)
    (about.worktree / "precious.txt").write_text("precious\n")
    old = resources.paths.data_dir
    new = tmp_path / "elsewhere"
    shutil.copytree(old, new, symlinks=True)
    shutil.rmtree(old / "worktrees")
    moved = _at(resources, new)
    await worktree.find_all_again(moved)
    again = await subject.read(moved, about.attempt.id)
    assert again.worktree.is_relative_to(new)
    assert (again.worktree / "precious.txt").exists()
    assert repair.belongs(again.worktree, repository)
    assert str(again.worktree) in await told(moved, again)
    assert (await worktree.prepare(moved, again)).worktree == again.worktree
    assert not about.worktree.exists()


async def test_a_worktree_that_was_left_behind_is_made_again_in_the_new_place(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    about = await attempt(resources, repository)
    (about.worktree / "own.txt").write_text("own\n")
    await commit.commit_all(about.worktree, "own", "anyon/x")
    shutil.rmtree(resources.paths.data_dir / "worktrees")
    moved = _at(resources, tmp_path / "elsewhere")
    again = await worktree.prepare(moved, about)
    assert again.worktree.is_relative_to(tmp_path / "elsewhere")
    assert files(again.worktree) == ["own.txt"]
    assert not about.worktree.parent.parent.exists()


def _at(resources: Resources, data: Path) -> Resources:
    """The same resources with another data directory; the store is still the old one."""
    return replace(resources, paths=replace(resources.paths, data_dir=data))


async def test_a_repository_that_was_moved_is_found_by_its_worktrees(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    about = await attempt(resources, repository)
    (about.worktree / "precious.txt").write_text("precious\n")
    place = tmp_path / "moved" / "repository"
    place.parent.mkdir()
    repository.rename(place)
    assert not repair.belongs(about.worktree, place)
    with pytest.raises(NotFound):
        await worktree.find_again(resources, about)
    patch = ProjectPatch(git_repo_path=str(place))
    await project_operations.update(resources, about.project.id, patch)
    assert repair.belongs(about.worktree, place)
    assert git(about.worktree, "status", "--porcelain") == "?? precious.txt"


async def test_a_repository_and_its_worktrees_may_move_both(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    about = await attempt(resources, repository)
    place, new = tmp_path / "moved", about.worktree.with_name("other")
    repository.rename(place)
    about.worktree.rename(new)
    assert await repair.relink(Repositories(), place, new) == []
    assert repair.belongs(new, place)
    assert git(new, "status", "--porcelain") == ""


async def test_a_checkout_that_a_hook_complains_of_is_used_and_told_of(
    resources: Resources, repository: Path
) -> None:
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'nvm: not found' >&2; exit 3\n")
    hook.chmod(0o755)
    (repository / "a.txt").write_text("a\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a")
    about = await attempt(resources, repository)
    assert files(about.worktree) == ["a.txt"]
    assert "nvm: not found" in await told(resources, about)
    shutil.rmtree(about.worktree)
    about = await worktree.prepare(resources, about)
    assert files(about.worktree) == ["a.txt"]


async def test_what_is_not_copied_is_told_in_the_attempt(
    resources: Resources, repository: Path
) -> None:
    (repository.parent / "common.env").write_text("A=1\n")
    (repository / ".env").symlink_to("../common.env")
    about = await attempt(resources, repository, copied=".env, missing/*.env")
    said = await told(resources, about)
    assert ".env: leads out of the repository" in said
    assert "nothing matches 'missing/*.env'" in said


async def test_a_project_in_a_subdirectory_starts_there_with_its_files(
    resources: Resources, repository: Path
) -> None:
    place = repository / "packages" / "app"
    place.mkdir(parents=True)
    (place / "package.json").write_text("{}\n")
    (place / ".env").write_text("A=1\n")
    (repository / ".env").write_text("B=2\n")
    (repository / ".gitignore").write_text(".env\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "app")
    new = NewProject(name="App", git_repo_path=str(place), use_existing_repo=True)
    made = await project_operations.create(resources, new)
    assert (made.git_repo_path, made.subdirectory) == (str(place), "packages/app")
    assert made.repository == repository
    await resources.store.write(lambda tx: projects.delete(tx, made.id, now()))
    about = await attempt(resources, repository, subdirectory="packages/app", copied=".env")
    assert about.workdir == about.worktree / "packages" / "app"
    assert (about.workdir / ".env").read_text() == "A=1\n"
    assert not (about.worktree / ".env").exists()
    assert git(about.worktree, "status", "--porcelain") == ""
    (about.workdir / ".env").write_text("A=changed\n")
    assert ignored_copies.changed(about.worktree) == ["packages/app/.env"]


async def test_a_branch_without_the_projects_directory_starts_at_the_top(
    resources: Resources, repository: Path
) -> None:
    (repository / "only-here").mkdir()
    about = await attempt(resources, repository, subdirectory="only-here")
    assert about.workdir == about.worktree
    assert "only-here" in await told(resources, about)


async def test_a_title_survives_a_rebase_that_an_agent_makes_by_itself(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    path = about.worktree
    (path / "file.txt").write_text("mine\n")
    before = await commit.commit_all(path, "#42 Fix the login\n\nWhy.", "anyon/x")
    (repository / "file.txt").write_text("theirs\n")
    await commit.commit_all(repository, "theirs")
    git(path, "rebase", "-q", "-X", "theirs", "main")
    git(path, "-c", "core.editor=true", "commit", "-q", "--amend")
    assert git(path, "log", "-1", "--format=%s") == "Why."
    await after_run.restore_messages(resources, about, before)
    assert git(path, "log", "-1", "--format=%s") == "#42 Fix the login"
    assert git(path, "rev-parse", "anyon/x~1") == git(repository, "rev-parse", "main")
