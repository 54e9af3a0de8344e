"""A checkout that somebody moves away is none meanwhile, and is what it was when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git import locations
from anyond.git.command import GitFailed, git
from anyond.git.repository import adopt
from tests.git.driver import Checkout


async def test_a_repository_is_known_again_when_it_is_back(repo: Checkout, tmp_path: Path) -> None:
    assert await adopt(repo.path) is not None
    before = locations.locate(repo.path)
    away = repo.path.rename(tmp_path / "away")
    assert locations.locate(repo.path) == before
    repo.path.mkdir()
    with pytest.raises(GitFailed, match="not a git repository"):
        await git("status", cwd=repo.path)
    repo.path.rmdir()
    away.rename(repo.path)
    assert locations.locate(repo.path) == before
    await git("status", cwd=repo.path)


async def test_a_worktree_is_known_again_when_its_record_is_back(
    repo: Checkout, tmp_path: Path
) -> None:
    common = await adopt(repo.path)
    assert common is not None
    work = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "linked", str(work))
    locations.remember(work, common)
    before = locations.locate(work)
    assert before is not None
    assert before.git_dir.parent == common / "worktrees"
    away = before.git_dir.rename(tmp_path / "record")
    with pytest.raises(GitFailed, match="not a git repository"):
        await git("status", cwd=work)
    away.rename(before.git_dir)
    assert locations.locate(work) == before
    await git("status", cwd=work)
