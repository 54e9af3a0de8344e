"""A branch that is deleted below its attempt comes back with its commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.operations.resources import Resources
from anyond.operations.workspace import worktree
from tests.support.operations.remarked_attempts import attempt, git, told


@pytest.mark.parametrize("how", ["update-ref", "detached", "elsewhere", "file", "no log"])
async def test_a_branch_that_was_deleted_comes_back(
    resources: Resources, repository: Path, how: str
) -> None:
    subject = await attempt(resources, repository)
    path = subject.worktree
    (path / "work.txt").write_text("work\n")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Work")
    oid = git(path, "rev-parse", "HEAD")
    if how == "update-ref":
        git(path, "update-ref", "-d", "HEAD")
    elif how == "file":
        (repository / ".git/refs/heads/anyon/x").unlink()
    elif how == "no log":
        git(path, "reflog", "expire", "--expire=now", "--all")
        git(path, "update-ref", "-d", "refs/heads/anyon/x")
    else:
        away = ("--detach", "main") if how == "detached" else ("-b", "other", "main")
        git(path, "checkout", "-q", *away)
        git(path, "branch", "-qD", "anyon/x")
    (path / "more.txt").write_text("more\n")
    subject = await worktree.prepare(resources, subject)
    assert git(repository, "rev-parse", "refs/heads/anyon/x") == oid
    saved = f"refs/anyon/kept/{subject.attempt.id}/branch-{oid}"
    assert git(repository, "rev-parse", saved) == oid
    assert saved in await told(resources, subject)
    assert git(path, "status", "--porcelain") == "?? more.txt"


async def test_a_branch_that_an_agent_renamed_does_not_come_back(
    resources: Resources, repository: Path
) -> None:
    subject = await attempt(resources, repository)
    git(subject.worktree, "branch", "-m", "better")
    await worktree.prepare(resources, subject)
    assert git(repository, "branch", "--list", "anyon/x") == ""
    assert "deleted" not in await told(resources, subject)
