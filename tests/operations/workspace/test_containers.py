"""Which attempt a directory belongs to, and whose directories git is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.disk import locations
from anyond.model.refusals.requests import NotFound
from anyond.operations.resources import Resources
from anyond.operations.workspace import containers, known_checkouts
from anyond.store.board import projects
from tests.support.rows import add_attempt, add_project


async def test_a_directory_deep_in_a_worktree_is_its_attempts(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    project = await add_project(resources, repository)
    subject = await add_attempt(resources, project)
    other = await add_attempt(resources, project, branch="anyon/y")
    deep = subject.worktree / "src" / "not there yet"
    link = tmp_path / "link"
    link.symlink_to(subject.worktree)
    for path in (subject.worktree, deep, link, link / "src"):
        found = await containers.find(resources, path)
        assert found == (subject.attempt.id, subject.task.id, project.id)
    assert (await containers.find(resources, other.worktree)).attempt_id == other.attempt.id


@pytest.mark.parametrize("path", ["/", "/nowhere/at/all"])
async def test_a_directory_outside_of_all_worktrees_is_nobodys(
    resources: Resources, repository: Path, path: str
) -> None:
    await add_attempt(resources, await add_project(resources, repository))
    for where in (Path(path), repository):
        with pytest.raises(NotFound):
            await containers.find(resources, where)


async def test_a_worktree_on_record_by_a_linked_name_is_found_by_its_real_one(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    subject = await add_attempt(resources, await add_project(resources, repository))
    alias = tmp_path / "alias"
    alias.symlink_to(subject.worktree.parent)
    named = str(alias / subject.worktree.name)
    await resources.store.write(
        lambda tx: tx.execute("UPDATE task_attempts SET container_ref = ?", (named,))
    )
    found = await containers.find(resources, subject.worktree)
    assert found.attempt_id == subject.attempt.id


async def test_git_is_told_of_the_checkouts_of_a_project_and_its_attempts(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await add_project(resources, repository)
    subject = await add_attempt(resources, project)
    reported: list[tuple[Path, ...]] = []
    monkeypatch.setattr(locations, "remember", lambda *paths, **_: reported.append(paths))
    await known_checkouts.know(resources, project)
    assert (subject.worktree, repository / ".git") in [paths[:2] for paths in reported]


async def test_a_repository_that_came_instead_is_not_taken_for_the_one_that_was_added(
    resources: Resources, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await add_project(resources, repository)
    subject = await add_attempt(resources, project)
    moved = tmp_path / "moved"
    repository.rename(moved)
    (repository / ".git").mkdir(parents=True)
    reported: list[tuple[Path | None, ...]] = []
    monkeypatch.setattr(locations, "remember", lambda *paths, **_: reported.append(paths))
    await known_checkouts.know(resources, project, moved / ".git")
    assert (subject.worktree, moved / ".git") in [paths[:2] for paths in reported]
    assert await resources.store.read(projects.fetch_all) == [project]
