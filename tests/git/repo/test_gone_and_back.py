"""A checkout that somebody moves away is none meanwhile, and is what it was when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.disk import locations
from anyond.git.program import guard
from anyond.git.program.command import GitFailed, git
from anyond.git.repo import checkouts
from anyond.git.repo.repository import adopt, common_dir
from tests.support.checkout import Checkout


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


@pytest.mark.parametrize("how", ["separate-git-dir", "gitfile", "link"])
async def test_a_repository_that_leaves_its_own_checkout_is_followed(
    repo: Checkout, tmp_path: Path, how: str
) -> None:
    common = await adopt(repo.path)
    assert common is not None
    work, place = tmp_path / "linked", tmp_path / "elsewhere.git"
    repo.git("worktree", "add", "-q", "-b", "linked", str(work))
    locations.remember(work, common)
    held = guard.Guard(repo.path, {})
    guard.install(common, held)
    if how == "separate-git-dir":  # as an agent says it, in its worktree
        Checkout(work).git("init", "-q", f"--separate-git-dir={place}")
    else:
        common.rename(place)
        if how == "link":
            common.symlink_to(place)
        else:
            common.write_text(f"gitdir: {place}\n")
            Checkout(repo.path).git("worktree", "repair")
    for top in (repo.path, work):
        found = locations.locate(top)
        assert found is not None
        assert found.common_dir == place
        await git("status", cwd=top)
        assert await common_dir(top) == place
    # What a person has accepted there, and what they have not, still counts.
    assert guard.of(place) is held
    assert [tree.path for tree in await checkouts.list_checkouts(repo.path)] == [repo.path, work]


async def test_a_worktree_does_not_lead_to_another_repository(
    repo: Checkout, tmp_path: Path
) -> None:
    common = await adopt(repo.path)
    assert common is not None
    work = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "linked", str(work))
    locations.remember(work, common)
    other = tmp_path / "other"
    repo.git("clone", "-q", str(repo.path), str(other))
    common.rename(tmp_path / "away")
    (work / ".git").write_text(f"gitdir: {other}/.git\n")
    with pytest.raises(GitFailed, match="not a git repository"):
        await git("status", cwd=work)
