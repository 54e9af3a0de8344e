"""A branch has its old name or its new one, and every checkout agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.repo.repository import Repositories
from anyond.git.worktree.renaming import rename, resume
from anyond.model.errors import Conflict
from anyond.model.refusals.requests import Invalid, NotFound
from tests.support.checkout import Checkout


def names(tree: Checkout) -> list[str]:
    return tree.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


@pytest.mark.parametrize("new", ["better", "feature/a-ü", "work/deeper"])
async def test_the_checkout_and_the_reflog_follow(
    repo: Checkout, attempt: Checkout, new: str
) -> None:
    attempt.commit({"a.txt": "a\n"})
    tip = attempt.oid()
    attempt.write("dirty.txt")
    await rename(Repositories(), repo.path, "work", new)
    assert sorted(names(repo)) == sorted(["main", new])
    assert attempt.git("symbolic-ref", "HEAD") == f"refs/heads/{new}"
    assert attempt.oid() == tip
    assert attempt.status() == ["?? dirty.txt"]
    assert len(attempt.git("reflog", "show", new).splitlines()) >= 2


@pytest.mark.parametrize("new", ["taken", "taken/below", "deep", "far", "origin/far"])
async def test_a_taken_name_is_refused_and_nothing_changes(
    repo: Checkout, attempt: Checkout, tmp_path: Path, new: str
) -> None:
    repo.git("branch", "taken")
    repo.git("branch", "deep/one")
    repo.git("update-ref", "refs/remotes/origin/far", "main")
    before = names(repo)
    with pytest.raises(Conflict) as refusal:
        await rename(Repositories(), repo.path, "work", new)
    assert refusal.value.type == "name_taken"
    assert names(repo) == before
    assert attempt.git("symbolic-ref", "HEAD") == "refs/heads/work"


@pytest.mark.parametrize("new", ["", "-f", "a..b", "a b", "HEAD", "x.lock", "a/",
                                 "refs/heads/x", "heads/x", "remotes/origin/x"])  # fmt: skip
async def test_names_that_no_branch_can_have_are_refused(
    repo: Checkout, attempt: Checkout, new: str
) -> None:
    with pytest.raises(Invalid):
        await rename(Repositories(), repo.path, "work", new)


async def test_a_missing_branch_and_an_unfinished_rebase_are_told(
    repo: Checkout, attempt: Checkout
) -> None:
    with pytest.raises(NotFound):
        await rename(Repositories(), repo.path, "nothing", "better")
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("rebase", "main", code=1)
    with pytest.raises(Conflict) as refusal:
        await rename(Repositories(), repo.path, "work", "better")
    assert refusal.value.type == "rebase_in_progress"


@pytest.mark.parametrize("cut", ["before", "between", "head", "after"])
async def test_a_renaming_that_was_cut_short_is_whole_or_never_began(
    repo: Checkout, attempt: Checkout, cut: str
) -> None:
    tip = attempt.commit({"a.txt": "a\n"})
    if cut == "between":
        repo.git("update-ref", "-d", "refs/heads/work")
    if cut == "head":
        repo.git("update-ref", "refs/heads/better", tip)
        repo.git("update-ref", "-d", "refs/heads/work")
    if cut == "after":
        repo.git("branch", "-m", "work", "better")
        repo.git("branch", "work", "main")  # somebody has taken the free name since
    done = await resume(repo.path, attempt.path, "work", "better", tip)
    assert done is (cut != "before")
    branch = "better" if done else "work"
    assert attempt.git("symbolic-ref", "HEAD") == f"refs/heads/{branch}"
    assert attempt.oid(branch) == tip
    assert attempt.status() == []
