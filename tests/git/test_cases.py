"""Promises about an attempt beside its target and remote that no other test tells as a whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from anyond.git.diff import diff, status
from anyond.git.disk.scratch import scratch
from anyond.git.merging.merge import merge
from anyond.git.merging.rebase import plan, rebase
from anyond.git.program.failures import Output, failure
from anyond.git.repo import branches, pushing, remotes
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.snapshots import take
from anyond.model.errors import Kind, Unavailable
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.remotes import Rejected
from anyond.model.refusals.requests import NotFound
from tests.support.checkout import Checkout

ONE = "00000000-0000-4000-8000-000000000001"


async def land(repos: Repositories, repo: Checkout, target: str) -> str:
    return (await merge(repos, repo.path, "work", target, message="Title")).after


@pytest.mark.parametrize("target", ["main", "release"])
async def test_what_an_attempt_has_not_committed_survives_its_merge(
    repos: Repositories, repo: Checkout, attempt: Checkout, target: str
) -> None:
    repo.git("branch", "release")
    tip = attempt.commit({"a.txt": "a\n"})
    attempt.write("base.txt", "edited\n")
    attempt.write("staged.txt", "staged\n")
    attempt.git("add", "staged.txt")
    attempt.write("untracked.txt", "untracked\n")
    before = attempt.status()
    oid = await land(repos, repo, target)
    assert repo.oid(target) == attempt.oid(target) == oid
    assert attempt.git("symbolic-ref", "--short", "HEAD") == "work"
    assert repo.oid("work") == attempt.oid() == tip
    assert attempt.status() == before == [" M base.txt", "A  staged.txt", "?? untracked.txt"]
    assert attempt.read("base.txt") == "edited\n"


@pytest.mark.parametrize("target", ["main", "release"])
async def test_a_target_that_has_gone_on_keeps_its_commits(
    repos: Repositories, repo: Checkout, attempt: Checkout, target: str
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.commit({"first.txt": "1\n"})
    theirs = repo.commit({"second.txt": "2\n"})
    repo.git("branch", "release")
    oid = await land(repos, repo, target)
    assert repo.git("log", "-1", "--format=%P", oid).split() == [theirs, attempt.oid()]
    listed = repo.git("ls-tree", "--name-only", target).split()
    assert listed == ["base.txt", "first.txt", "mine.txt", "other.txt", "second.txt"]
    assert repo.status() == []


@pytest.mark.parametrize("target", ["main", "release"])
async def test_a_file_that_one_deletes_and_the_other_edits_is_a_conflict(
    repos: Repositories, repo: Checkout, attempt: Checkout, target: str
) -> None:
    attempt.git("rm", "-q", "base.txt")
    attempt.commit({})
    theirs = repo.commit({"base.txt": "edited\n"})
    repo.git("branch", "release")
    with pytest.raises(MergeConflicts) as conflict:
        await land(repos, repo, target)
    assert conflict.value.files == ["base.txt"]
    assert (repo.oid(target), repo.status()) == (theirs, [])
    assert repo.read("base.txt") == "edited\n"


async def test_several_commits_come_along_to_a_base_that_has_gone_on(
    repos: Repositories, repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"first.txt": "1\n"}, "first")
    attempt.commit({"second.txt": "2\n"}, "second")
    repo.git("checkout", "-q", "-b", "new")
    for name in ("x", "y"):
        repo.commit({f"{name}.txt": name}, name)
    repo.git("checkout", "-q", "main")
    old = await branches.resolve(repo.path, "main")
    new = await branches.resolve(repo.path, "new")
    await rebase(repos, attempt.path, await plan(attempt.path, "work", old, new))
    assert attempt.git("log", "--format=%s", "new..work").splitlines() == ["second", "first"]
    assert (attempt.read("first.txt"), attempt.read("second.txt")) == ("1\n", "2\n")
    assert attempt.read("y.txt") == "y"


async def test_what_the_target_has_got_since_is_no_change_of_the_attempt(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.commit({"theirs.txt": "theirs\n", "base.txt": "theirs\n"})
    base = await branches.fork_point(attempt.path, "main")
    assert [entry.path for entry in await diff.snapshot(attempt.path, base)] == ["mine.txt"]


async def test_a_branch_that_somebody_else_has_advanced_is_pushed_by_nobody_unseen(
    repos: Repositories, repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    repo.git("init", "-q", "--bare", bare)
    repo.git("remote", "add", "origin", bare)
    remote = await remotes.of_target(repo.path, "main")
    await pushing.push(repos, attempt.path, remote, "work")
    other = tmp_path / "other"
    repo.git("clone", "-q", "-b", "work", bare, other)
    theirs = Checkout(other).commit({"theirs.txt": "theirs\n"})
    Checkout(other).git("push", "-q")
    attempt.commit({"mine.txt": "mine\n"})
    for force, reason in ((False, "non_fast_forward"), (True, "stale")):
        with pytest.raises(Rejected) as refusal:
            await pushing.push(repos, attempt.path, remote, "work", force=force)
        assert refusal.value.reason == reason
        assert Checkout(bare).oid("refs/heads/work") == theirs
    attempt.git("fetch", "-q", "origin")
    seen = await status.branch_status(repo.path, attempt.path, "work", "main")
    assert (seen.remote_commits_ahead, seen.remote_commits_behind) == (1, 1)
    attempt.git("pull", "-q", "--rebase", "origin", "work")
    await pushing.push(repos, attempt.path, remote, "work", force=True)
    assert Checkout(bare).oid("refs/heads/work") == attempt.oid()


async def test_a_push_takes_what_is_committed_and_leaves_the_rest_alone(
    repos: Repositories, repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    repo.git("init", "-q", "--bare", bare)
    repo.git("remote", "add", "origin", bare)
    tip = attempt.commit({"mine.txt": "mine\n"})
    attempt.write("untracked.txt")
    before = attempt.index_bytes()
    await take(repo.path, attempt.path, ONE, "test")
    remote = await remotes.of_target(repo.path, "main")
    await pushing.push(repos, attempt.path, remote, "work")
    # Neither snapshots nor anything else goes along.
    assert Checkout(bare).git("for-each-ref", "--format=%(objectname) %(refname)") == (
        f"{tip} refs/heads/work"
    )
    assert attempt.index_bytes() == before


async def test_a_checkout_that_goes_away_in_the_middle_is_an_error_that_names_it(
    attempt: Checkout,
) -> None:
    own = attempt.index().parent
    own.rename(own.with_name("elsewhere"))
    with pytest.raises(NotFound, match="attempt"), scratch(own):
        raise AssertionError("there is no place for this")
    own.mkdir()
    own.joinpath("anyon").write_text("in the way")
    with pytest.raises(ToolFailed, match="anyon"), scratch(own):
        raise AssertionError("there is no place for this")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE])
def test_a_shortage_of_the_machine_is_no_failure_of_git(attempt: Checkout, number: int) -> None:
    words = os.strerror(number)
    with pytest.raises(Unavailable, match=words), scratch(attempt.index().parent):
        raise OSError(number, words, "index")
    output = f"error: file write error: {words}\nfatal: unable to write new index file\n"
    refusal = failure(("read-tree", "HEAD"), Output(128, b"", output))
    assert (refusal.kind, refusal.data) == (Kind.UNAVAILABLE, None)
    assert words in str(refusal)
