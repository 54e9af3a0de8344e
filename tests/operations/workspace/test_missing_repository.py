"""A repository that is gone, emptied, or another one now: said by name, and nothing is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff import status
from anyond.git.disk import locations
from anyond.git.program import guard
from anyond.model.errors import AnyondError, Kind
from anyond.model.http.bodies import MergeStrategy, NewProject
from anyond.operations import projects as project_operations
from anyond.operations.branch import branch_naming, merging, publish
from anyond.operations.resources import Resources
from anyond.operations.workspace import git_programs, worktree
from tests.support.git.programs import another


def put(instead: str, repository: Path) -> None:
    if instead == "an empty directory":
        repository.mkdir()
    elif instead == "a file":
        repository.write_text("file\n")
    elif instead == "another repository":
        subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
        first = ["git", *who, "commit", "-q", "--allow-empty", "-m", "Other"]
        subprocess.run(first, cwd=repository, check=True)


@pytest.mark.parametrize("restart", [False, True], ids=["at once", "after a restart"])
@pytest.mark.parametrize(
    "instead", ["nothing", "an empty directory", "a file", "another repository"]
)
async def test_what_is_in_the_place_of_a_repository_is_told(
    resources: Resources, repository: Path, tmp_path: Path, instead: str, restart: bool
) -> None:
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    project = await project_operations.create(resources, new)
    subject = await another(resources, project.id, "anyon/x")
    (subject.worktree / "committed.txt").write_text("committed\n")
    await commit_all(subject.worktree, "work")
    (subject.worktree / "new.txt").write_text("new\n")
    away = repository.rename(tmp_path / "away")
    put(instead, repository)
    if restart:
        guard._guards.clear()
        locations._known.clear()
        await git_programs.load(resources)

    seen = await status.branch_status(subject.repository, subject.worktree, "anyon/x", "main")
    assert {"commits_ahead", "commits_behind", "untracked_count"} <= seen.unknown.keys()
    assert all(
        str(repository) in why or str(subject.worktree) in why for why in seen.unknown.values()
    )
    for act in (
        merging.merge_attempt(resources, subject, MergeStrategy.MERGE),
        branch_naming.rename_branch(resources, subject, "other"),
        publish.push_attempt(resources, subject, force=False),
        worktree.prepare(resources, subject),
    ):
        with pytest.raises(AnyondError) as refusal:
            await act
        assert refusal.value.kind in {Kind.CONFLICT, Kind.NOT_FOUND}
        assert instead == "another repository" or str(repository) in str(refusal.value)
    if instead != "another repository":
        with pytest.raises(AnyondError, match=str(repository)) as refusal:
            await project_operations.list_branches(resources, project.id)
        assert refusal.value.kind in {Kind.CONFLICT, Kind.NOT_FOUND}

    assert (subject.worktree / "new.txt").exists()
    if instead not in {"nothing", "another repository"}:
        repository.rmdir() if repository.is_dir() else repository.unlink()
    if instead != "another repository":
        away.rename(repository)
        seen = await status.branch_status(subject.repository, subject.worktree, "anyon/x", "main")
        assert (seen.unknown, seen.commits_ahead, seen.untracked_count) == ({}, 1, 1)


async def test_a_branch_that_is_gone_is_unknown(resources: Resources, repository: Path) -> None:
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    project = await project_operations.create(resources, new)
    subprocess.run(["git", "branch", "target"], cwd=repository, check=True)
    subject = await another(resources, project.id, "anyon/x")
    (subject.worktree / "committed.txt").write_text("committed\n")
    await commit_all(subject.worktree, "work")
    look = (subject.repository, subject.worktree, "anyon/x", "target")
    assert (await status.branch_status(*look)).commits_ahead == 1
    subprocess.run(["git", "branch", "-q", "-D", "target"], cwd=repository, check=True)
    seen = await status.branch_status(*look)
    assert seen.unknown.keys() == {"commits_ahead", "commits_behind"}
    assert "no branch target" in seen.unknown["commits_ahead"]
