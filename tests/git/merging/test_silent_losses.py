"""Work that would go without a word: by a rebase, a shared stash, or a branch moved elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.commits import commit, moved_branch, saved_commits
from anyond.git.merging import merge, rebase_messages
from anyond.git.merging.rebase import plan, rebase
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.model.errors import Conflict
from anyond.model.refusals.merging import MergeConflicts
from tests.support.checkout import Checkout

ID = "01234567-89ab-cdef-0123-456789abcdef"


async def on_main(repos: Repositories, repo: Checkout, attempt: Checkout) -> None:
    target = await branches.resolve(repo.path, "main")
    await rebase(repos, attempt.path, await plan(attempt.path, "work", target, target))


# ---------------------------------------------------------------- merge commits


@pytest.mark.parametrize("how", ["changed", "added", "ours"])
async def test_what_a_merge_commit_has_changed_itself_refuses_a_rebase(
    repo: Checkout, attempt: Checkout, repos: Repositories, how: str
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.commit({"theirs.txt": "theirs\n"})
    if how == "ours":
        attempt.git("merge", "-q", "-s", "ours", "-m", "Merge", "main")
    else:
        attempt.git("merge", "-q", "--no-commit", "--no-ff", "main")
        attempt.write("mine.txt" if how == "changed" else "new.txt", "evil\n")
        attempt.git("add", "-A")
        attempt.git("commit", "-q", "-m", "Merge")
    repo.commit({"later.txt": "later\n"})
    before = attempt.oid()
    with pytest.raises(Conflict) as refusal:
        await on_main(repos, repo, attempt)
    assert refusal.value.type == "merge_commits"
    names = {"changed": "mine.txt", "added": "new.txt", "ours": "theirs.txt"}
    assert names[how] in str(refusal.value)
    with pytest.raises(Conflict) as refusal:
        await merge.merge(repos, repo.path, "work", "main", message="m", strategy="rebase")
    assert refusal.value.type == "merge_commits"
    assert (attempt.oid(), attempt.status()) == (before, [])
    await merge.merge(repos, repo.path, "work", "main", message="m")


async def test_a_merge_commit_that_git_would_make_itself_is_no_reason(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.commit({"theirs.txt": "theirs\n"})
    attempt.git("merge", "-q", "-m", "Merge", "main")
    repo.commit({"later.txt": "later\n"})
    await on_main(repos, repo, attempt)
    assert sorted(p.name for p in attempt.path.iterdir() if p.suffix) == sorted(
        ["base.txt", "other.txt", "mine.txt", "theirs.txt", "later.txt"]
    )


async def test_what_a_merge_commit_has_resolved_is_asked_again_or_refused(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("merge", "-q", "main", code=1)
    attempt.write("base.txt", "both\n")
    attempt.git("commit", "-qam", "Merge")
    repo.commit({"later.txt": "later\n"})
    with pytest.raises(MergeConflicts):
        await on_main(repos, repo, attempt)
    attempt.git("rebase", "--abort")
    assert attempt.read("base.txt") == "both\n"


async def test_a_resolution_that_a_rebase_would_lose_in_silence_undoes_it(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    # The first commit is on the target too, so the second one fits there, and nothing asks again.
    attempt.commit({"base.txt": "theirs\n"})
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"}, "theirs")
    attempt.git("merge", "-q", "main", code=1)
    attempt.write("base.txt", "resolved\n")
    attempt.git("commit", "-qam", "Merge")
    repo.commit({"later.txt": "later\n"})
    before = attempt.oid()
    with pytest.raises(Conflict) as refusal:
        await on_main(repos, repo, attempt)
    assert refusal.value.type == "merge_commits"
    assert (attempt.oid(), attempt.status()) == (before, [])
    assert attempt.read("base.txt") == "resolved\n"
    with pytest.raises(Conflict) as refusal:
        await merge.merge(repos, repo.path, "work", "main", message="m", strategy="rebase")
    assert refusal.value.type == "merge_commits"


# ---------------------------------------------------------------- the stash


async def test_an_entry_that_is_popped_meanwhile_is_kept_and_told_of_once(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.write("base.txt", "the person's\n")
    repo.git("stash", "push", "-q", "-m", "half of an idea")
    repo.write("other.txt", "more\n")
    repo.git("stash", "push", "-q")
    stays, goes = repo.oid("stash@{0}"), repo.oid("stash@{1}")
    await saved_commits.guard_stash(repo.path, ID)
    attempt.git("stash", "pop", "-q", "stash@{1}")
    (reported,) = await saved_commits.compare_stash(repo.path, ID, "work")
    assert "half of an idea" in reported
    attempt.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert repo.git("show", f"{goes}:base.txt") == "the person's"
    assert repo.oid(f"refs/anyon/kept/{ID}/popped-{goes}") == goes
    assert repo.git("for-each-ref", f"refs/anyon/kept/{ID}/stash-{stays}") == ""
    assert await saved_commits.compare_stash(repo.path, ID, "work") == []
    await saved_commits.delete_all(repo.path, ID)
    assert repo.git("for-each-ref", "refs/anyon/kept") == ""


async def test_what_an_attempt_leaves_in_the_stash_is_told_of(
    repo: Checkout, attempt: Checkout
) -> None:
    assert await saved_commits.stash(repo.path) == []
    await saved_commits.guard_stash(repo.path, ID)
    attempt.write("base.txt", "put away\n")
    attempt.git("stash", "push", "-q")
    (reported,) = await saved_commits.compare_stash(repo.path, ID, "work")
    assert "WIP on work" in reported
    await saved_commits.guard_stash(repo.path, ID)
    assert await saved_commits.compare_stash(repo.path, ID, "work") == []


# ---------------------------------------------------------------- a branch that was moved


async def test_a_branch_that_another_checkout_moved_is_followed_and_not_reverted(
    repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.git("worktree", "add", "-q", "--force", tmp_path / "second", "work")
    second = Checkout(tmp_path / "second")
    theirs = second.commit({"second.txt": "second\n", "base.txt": "edited there\n"})
    attempt.write("mine.txt", "edited here\n")
    attempt.write("new.txt", "new\n")
    assert attempt.oid() == theirs
    (reported,) = await moved_branch.follow(attempt.path, ID)
    assert theirs[:12] in reported
    assert attempt.status() == [" M mine.txt", "?? new.txt"]
    assert attempt.read("base.txt") == "edited there\n"
    assert await moved_branch.follow(attempt.path, ID) == []
    await commit.commit_all(attempt.path, "more", "work")
    assert attempt.git("show", "work:second.txt") == "second"
    assert attempt.git("show", "work:mine.txt") == "edited here"


async def test_changes_that_are_in_the_way_of_a_moved_branch_refuse_and_stay(
    repo: Checkout, attempt: Checkout
) -> None:
    oid = attempt.commit({"base.txt": "elsewhere\n"})
    attempt.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("update-ref", "refs/heads/work", oid)
    attempt.write("base.txt", "edited here\n")
    with pytest.raises(Conflict) as refusal:
        await moved_branch.follow(attempt.path, ID)
    assert refusal.value.type == "branch_moved"
    assert attempt.read("base.txt") == "edited here\n"
    assert attempt.oid() == oid


async def test_what_a_branch_had_before_it_was_put_elsewhere_is_kept(
    repo: Checkout, attempt: Checkout
) -> None:
    before = attempt.commit({"mine.txt": "mine\n"})
    repo.git("update-ref", "refs/heads/work", "main")
    (reported,) = await moved_branch.follow(attempt.path, ID)
    assert repo.oid(f"refs/anyon/kept/{ID}/branch-{before}") == before
    assert f"refs/anyon/kept/{ID}/branch-" in reported
    assert attempt.status() == []


@pytest.mark.parametrize("how", ["commit", "reset", "rename", "detach", "no log"])
async def test_what_happens_in_the_checkout_itself_is_no_move(
    repo: Checkout, attempt: Checkout, how: str
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    if how == "reset":
        attempt.git("reset", "-q", "--soft", "HEAD~1")
    elif how == "rename":
        repo.git("branch", "-m", "work", "better")
    elif how == "detach":
        attempt.git("checkout", "-q", "--detach", "HEAD~1")
    elif how == "no log":
        attempt.git("reflog", "expire", "--expire=now", "--all")
        repo.git("update-ref", "refs/heads/work", "main")
    attempt.write("new.txt", "new\n")
    before = attempt.status()
    assert await moved_branch.follow(attempt.path, ID) == []
    assert attempt.status() == before


# ---------------------------------------------------------------- titles


@pytest.mark.parametrize("comment", ["#", ";"])
async def test_a_title_that_git_takes_for_a_comment_comes_back_after_a_continued_rebase(
    repo: Checkout, attempt: Checkout, repos: Repositories, comment: str
) -> None:
    repo.git("config", "core.commentChar", comment)
    title = f"{comment}42 Fix the login"
    attempt.write("base.txt", "mine\n")
    await commit.commit_all(attempt.path, f"{title}\n\nWhy it is so.", "work")
    attempt.write("second.txt", "2\n")
    await commit.commit_all(attempt.path, f"{title}, again", "work")
    tip = attempt.oid()
    repo.commit({"base.txt": "theirs\n"})
    onto = repo.oid()
    with pytest.raises(MergeConflicts):
        await on_main(repos, repo, attempt)
    attempt.write("base.txt", "both\n")
    attempt.git("add", "-A")
    attempt.git("rebase", "--continue", GIT_EDITOR="true")
    assert attempt.git("log", "-1", "--format=%s", "HEAD~1") == "Why it is so."
    tree = attempt.oid("HEAD^{tree}")
    assert await rebase_messages.restore(repos, attempt.path, "work", tip=tip, onto=onto)
    assert (
        attempt.git("log", "-1", "--format=%B", "HEAD~1") == f"{title}\n\nWhy it is so.\n".strip()
    )
    assert attempt.git("log", "-1", "--format=%s") == f"{title}, again"
    assert (attempt.oid("HEAD^{tree}"), attempt.status()) == (tree, [])
    assert attempt.oid("HEAD~2") == onto
    assert not await rebase_messages.restore(repos, attempt.path, "work", tip=tip, onto=onto)
    assert await moved_branch.follow(attempt.path, ID) == []


async def test_a_message_that_somebody_has_written_anew_stays(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("mine.txt", "mine\n")
    await commit.commit_all(attempt.path, "#42 Fix\n\nWhy.", "work")
    tip, onto = attempt.oid(), repo.oid("main")
    attempt.git("commit", "-q", "--amend", "-m", "Another title")
    assert not await rebase_messages.restore(repos, attempt.path, "work", tip=tip, onto=onto)
    assert attempt.git("log", "-1", "--format=%s") == "Another title"
