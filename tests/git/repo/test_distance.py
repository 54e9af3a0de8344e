"""What is said of attempts whose target shares no commit with them, or none that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.diff import diff
from anyond.git.diff.status import branch_status
from anyond.git.merging import merge
from anyond.git.merging.rebase import plan, rebase
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.model.errors import Conflict
from tests.support.checkout import Checkout


@pytest.fixture
def shallow(repo: Checkout, tmp_path: Path) -> tuple[Checkout, Checkout, str]:
    """A shallow clone that was fetched anew since its attempt began, the attempt, and where."""
    repo.commit({"second.txt": "2\n"})
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.path}", tmp_path / "clone")
    clone = Checkout(tmp_path / "clone")
    attempt = clone.worktree("shallow-attempt", "work")
    left = attempt.oid()
    attempt.commit({"mine.txt": "mine\n"})
    for number in range(3):
        repo.commit({f"theirs{number}.txt": "theirs\n"})
    clone.git("fetch", "-q", "--depth", "1", "origin")
    clone.git("reset", "-q", "--hard", "origin/main")
    return clone, attempt, left


async def test_a_shallow_repository_shows_the_diff_from_where_the_attempt_began(
    shallow: tuple[Checkout, Checkout, str],
) -> None:
    clone, attempt, left = shallow
    assert await branches.merge_base(clone.path, "refs/heads/work", "refs/heads/main") is None
    assert await branches.fork_point(attempt.path, "main", left) == left
    entries = await diff.snapshot(attempt.path, left)
    assert [entry.path for entry in entries] == ["mine.txt"]


async def test_a_shallow_repository_says_what_it_does_not_know(
    shallow: tuple[Checkout, Checkout, str],
) -> None:
    clone, attempt, left = shallow
    row = await branch_status(clone.path, attempt.path, "work", "main", left)
    assert (row.commits_ahead, row.commits_behind) == (1, 0)
    assert list(row.unknown) == ["commits_behind"]
    assert "--unshallow" in row.unknown["commits_behind"]
    row = await branch_status(clone.path, attempt.path, "work", "main")
    assert (row.commits_ahead, row.commits_behind) == (0, 0)
    assert sorted(row.unknown) == ["commits_ahead", "commits_behind"]
    clone.git("fetch", "-q", "--unshallow", "origin")
    row = await branch_status(clone.path, attempt.path, "work", "main", left)
    assert (row.commits_ahead, row.commits_behind, row.unknown) == (1, 3, {})


async def test_a_shallow_repository_says_how_to_merge(
    shallow: tuple[Checkout, Checkout, str], repos: Repositories
) -> None:
    clone, attempt, left = shallow
    with pytest.raises(Conflict, match="--unshallow") as refusal:
        await merge.merge(repos, clone.path, "work", "main", message="m")
    assert refusal.value.type == "unrelated_histories"
    target = await branches.resolve(clone.path, "main")
    clone.git("reflog", "expire", "--expire=now", "--all")
    with pytest.raises(Conflict, match="--unshallow"):
        await plan(attempt.path, "work", target, target)
    await rebase(repos, attempt.path, await plan(attempt.path, "work", target, target, left))
    assert attempt.oid("HEAD~1") == clone.oid("main")
    assert attempt.read("mine.txt") == "mine\n"


async def test_a_target_of_an_unrelated_history_leaves_the_diff_where_the_attempt_began(
    repo: Checkout, attempt: Checkout
) -> None:
    left = attempt.oid()
    attempt.commit({"mine.txt": "mine\n"})
    repo.git("checkout", "-q", "--orphan", "new")
    repo.commit({"new.txt": "new\n"})
    assert await branches.fork_point(attempt.path, "new", left) == left
    row = await branch_status(repo.path, attempt.path, "work", "new", left)
    assert (row.commits_ahead, row.commits_behind, row.unknown) == (1, 1, {})


async def test_a_worktree_that_is_not_there_is_unknown_and_not_clean(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.write("base.txt", "edited\n")
    (attempt.path / ".git").write_text(f"gitdir: {repo.path}/gone\n")
    # It is known where this one belongs, wherever its `.git` leads.
    row = await branch_status(repo.path, attempt.path, "work", "main")
    assert (row.unknown, row.uncommitted_count) == ({}, 1)
    (attempt.path / ".git").unlink()
    row = await branch_status(repo.path, attempt.path, "work", "main")
    assert {"has_uncommitted_changes", "uncommitted_count", "untracked_count"} <= set(row.unknown)
    assert str(attempt.path) in row.unknown["untracked_count"]
