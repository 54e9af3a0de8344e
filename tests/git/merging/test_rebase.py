"""A rebase succeeds, waits at a conflict, or has changed nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from anyond.git.merging.rebase import finished, plan, rebase
from anyond.git.program.command import GitFailed
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.reset import abort
from anyond.model.errors import Conflict
from anyond.model.refusals.merging import MergeConflicts
from tests.support.checkout import Checkout, until


async def run(
    attempt: Checkout, old: str | None, new: str, branch: str = "work", left: str | None = None
) -> None:
    old_base = await branches.resolve(attempt.path, old) if old else None
    new_base = await branches.resolve(attempt.path, new)
    planned = await plan(attempt.path, branch, old_base, new_base, left)
    await rebase(Repositories(), attempt.path, planned)


def state(tree: Checkout) -> tuple[str, str, list[str], str]:
    return tree.oid(), tree.git("symbolic-ref", "HEAD"), tree.status(), tree.read("base.txt")


@pytest.fixture
def bases(repo: Checkout) -> Checkout:
    """The branches `old` and `new`, which have the same file with different texts; a worktree on
    `old` with a file of its own."""
    for name in ("old", "new"):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.commit({"which.txt": f"{name}\n"}, name)
    repo.git("checkout", "-q", "main")
    attempt = repo.worktree("moving", "work", "old")
    attempt.commit({"own.txt": "own\n"}, "own")
    return attempt


async def test_own_commits_move_and_those_of_the_old_base_stay(bases: Checkout) -> None:
    await run(bases, "old", "new")
    assert bases.git("log", "--format=%s", "new..work") == "own"
    assert bases.read("which.txt") == "new\n"
    assert bases.read("own.txt") == "own\n"
    assert bases.git("symbolic-ref", "HEAD") == "refs/heads/work"
    assert bases.status() == []


async def test_untracked_files_stay(bases: Checkout) -> None:
    bases.write("scratch.txt", "mine\n")
    await run(bases, "old", "new")
    assert bases.read("scratch.txt") == "mine\n"


@pytest.mark.parametrize("staged", [True, False])
async def test_an_uncommitted_change_refuses_it(bases: Checkout, staged: bool) -> None:
    bases.write("own.txt", "edited\n")
    if staged:
        bases.git("add", "-A")
    before = state(bases)
    with pytest.raises(Conflict) as refusal:
        await run(bases, "old", "new")
    assert refusal.value.type == "dirty"
    assert refusal.value.data is not None
    assert refusal.value.data["files"] == ["own.txt"]
    assert state(bases) == before
    assert bases.read("own.txt") == "edited\n"


@pytest.mark.parametrize("ignored", [True, False])
async def test_a_file_that_the_new_base_would_write_refuses_it(
    repo: Checkout, bases: Checkout, ignored: bool
) -> None:
    repo.git("checkout", "-q", "new")
    repo.commit({"secret.txt": "theirs\n"})
    repo.git("checkout", "-q", "main")
    if ignored:
        (repo.path / ".git" / "info" / "exclude").write_text("secret.txt\n")
    bases.write("secret.txt", "mine\n")
    before = state(bases)
    with pytest.raises(Conflict) as refusal:
        await run(bases, "old", "new")
    assert refusal.value.type == "dirty"
    assert bases.read("secret.txt") == "mine\n"
    assert state(bases) == before


async def test_a_file_in_the_way_of_an_own_commit_undoes_it_all(bases: Checkout) -> None:
    bases.commit({"passing.txt": "x\n"})
    (bases.path / "passing.txt").unlink()
    bases.commit({})
    bases.write("passing.txt", "untracked\n")
    before = state(bases)
    with pytest.raises(Conflict) as refusal:
        await run(bases, "old", "new")
    assert refusal.value.type == "dirty"
    assert refusal.value.data is not None
    assert refusal.value.data["files"] == ["passing.txt"]
    assert state(bases) == before
    assert bases.read("passing.txt") == "untracked\n"


async def test_a_conflict_waits_names_its_files_and_abort_restores_everything(
    repo: Checkout, attempt: Checkout
) -> None:
    odd = 'sü"ß\tname.txt'
    attempt.commit({"base.txt": "mine\n", odd: "mine\n"})
    repo.commit({"base.txt": "theirs\n", odd: "theirs\n"})
    attempt.write("scratch.txt")
    before = state(attempt)
    with pytest.raises(MergeConflicts) as conflict:
        await run(attempt, "main", "main")
    assert conflict.value.data is not None
    assert conflict.value.data["op"] == "rebase"
    assert conflict.value.files == sorted(["base.txt", odd])
    assert "rebase in progress" in attempt.git("status")

    head = attempt.oid()
    with pytest.raises(Conflict) as again:
        await run(attempt, "main", "main")
    assert again.value.type == "rebase_in_progress"
    assert attempt.oid() == head
    assert "rebase in progress" in attempt.git("status")

    attempt.write("base.txt", "resolved\n")
    attempt.git("add", "-A")
    attempt.git("reset", "-q", "scratch.txt")
    await abort(attempt.path)
    assert state(attempt) == before


async def test_abort_brings_back_what_was_not_committed_before_a_merge(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.write("other.txt", "edited before\n")
    before = state(attempt)
    attempt.git("merge", "main", code=1)
    await abort(attempt.path)
    assert state(attempt) == before
    assert attempt.read("other.txt") == "edited before\n"


async def test_conflicts_of_a_squash_are_ended_too(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    before = state(attempt)
    attempt.git("merge", "--squash", "main", code=1)
    await abort(attempt.path)
    assert state(attempt) == before


async def test_an_attempt_without_commits_of_its_own_moves_to_the_tip(
    repo: Checkout, attempt: Checkout
) -> None:
    tip = repo.commit({"more.txt": "more\n"})
    await run(attempt, "main", "main")
    assert attempt.oid("work") == attempt.oid() == tip
    await run(attempt, "main", "main")
    assert attempt.oid() == tip


async def test_several_commits_a_rename_and_their_authors_come_along(
    repo: Checkout, bases: Checkout, home: Path
) -> None:
    bases.git("mv", "own.txt", "renamed.txt")
    bases.git("commit", "-q", "-m", "rename", "--author=Agent <agent@localhost>")
    (home / ".gitconfig").write_text("")
    repo.git("branch", "-f", "new", "main")
    await run(bases, "old", "new")
    assert bases.read("renamed.txt") == "own\n"
    assert not (bases.path / "own.txt").exists()
    names = bases.git("log", "--format=%an/%cn", "new..work").splitlines()
    assert names == ["Agent/Anyon", "Ada/Anyon"]


async def test_a_base_that_was_rewritten_is_not_carried_along(repo: Checkout) -> None:
    repo.git("checkout", "-q", "-b", "base")
    repo.commit({"a.txt": "first\n"}, "draft")
    attempt = repo.worktree("late", "work", "base")
    attempt.commit({"own.txt": "own\n"}, "own")
    repo.write("a.txt", "second\n")
    repo.git("commit", "-q", "-a", "--amend", "-m", "better")
    await run(attempt, "base", "base")
    assert attempt.git("log", "--format=%s", "main..work").splitlines() == ["own", "better"]


@pytest.mark.parametrize("gone", [False, True])
async def test_where_the_attempt_began_is_known_even_if_git_has_forgotten(
    repo: Checkout, gone: bool
) -> None:
    repo.git("checkout", "-q", "-b", "base")
    left = repo.commit({"a.txt": "first\n"}, "draft")
    attempt = repo.worktree("late", "work", "base")
    attempt.commit({"own.txt": "own\n"}, "own")
    repo.write("a.txt", "second\n")
    repo.git("commit", "-q", "-a", "--amend", "-m", "better")
    repo.git("reflog", "expire", "--expire=now", "--all")
    if gone:
        repo.git("checkout", "-q", "-b", "better")
        repo.git("branch", "-q", "-D", "base")
    await run(attempt, None if gone else "base", "better" if gone else "base", left=left)
    assert attempt.git("log", "--format=%s", "main..work").splitlines() == ["own", "better"]


async def test_what_the_attempt_has_taken_in_from_its_base_is_not_its_own(repo: Checkout) -> None:
    left = repo.oid()
    attempt = repo.worktree("late", "work", "main")
    attempt.commit({"own.txt": "own\n"}, "own")
    taken = repo.commit({"a.txt": "a\n"}, "theirs")
    repo.git("reflog", "expire", "--expire=now", "--all")
    attempt.git("merge", "-q", "--no-edit", "main")
    main = await branches.resolve(attempt.path, "main")
    assert (await plan(attempt.path, "work", main, main, left)).since == taken
    assert (await plan(attempt.path, "work", main, main, "1" * 40)).since == taken


async def test_a_base_that_is_gone_is_no_hindrance(bases: Checkout, repo: Checkout) -> None:
    repo.git("branch", "-q", "-D", "old")
    repo.git("branch", "-q", "-f", "new", "main")
    await run(bases, None, "new")
    assert bases.git("log", "--format=%s", "new..work").splitlines() == ["own", "old"]


async def test_a_remote_branch_can_be_the_base(repo: Checkout, tmp_path: Path) -> None:
    repo.git("clone", "-q", repo.path, tmp_path / "clone")
    clone = Checkout(tmp_path / "clone")
    attempt = clone.worktree("far", "work")
    attempt.commit({"own.txt": "own\n"})
    tip = repo.commit({"more.txt": "more\n"})
    clone.git("fetch", "-q")
    await run(attempt, "origin/main", "origin/main")
    assert attempt.oid("HEAD~1") == tip


async def test_what_a_person_has_configured_moves_nothing_else(
    repo: Checkout, attempt: Checkout
) -> None:
    for key in ("rebase.updateRefs", "rebase.autoStash", "rebase.autoSquash", "rebase.stat"):
        attempt.git("config", key, "true")
    attempt.git("config", "rebase.backend", "apply")
    attempt.commit({"one.txt": "1\n"}, "one")
    marked = attempt.oid()
    attempt.git("branch", "bookmark")
    attempt.commit({"two.txt": "2\n"}, "fixup! one")
    repo.commit({"more.txt": "more\n"})
    await run(attempt, "main", "main")
    assert attempt.oid("bookmark") == marked
    subjects = attempt.git("log", "--format=%s", "main..work").splitlines()
    assert subjects == ["fixup! one", "one"]


async def test_another_branch_or_none_in_the_worktree_refuses_it(attempt: Checkout) -> None:
    attempt.git("checkout", "-q", "--detach")
    with pytest.raises(Conflict) as refusal:
        await run(attempt, "main", "main")
    assert refusal.value.type == "off_branch"


async def test_unrelated_histories_are_not_rebased(repo: Checkout, attempt: Checkout) -> None:
    repo.git("checkout", "-q", "--orphan", "alien")
    repo.commit({"alien.txt": "x\n"})
    with pytest.raises(Conflict) as refusal:
        await run(attempt, "alien", "alien")
    assert refusal.value.type == "unrelated_histories"


async def test_a_hook_that_refuses_has_changed_nothing(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"own.txt": "own\n"})
    repo.commit({"more.txt": "more\n"})
    repo.hook("pre-rebase", "echo no; exit 1")
    before = state(attempt)
    with pytest.raises(GitFailed):
        await run(attempt, "main", "main")
    assert state(attempt) == before


async def test_a_rebase_that_is_cancelled_leaves_the_branch_as_it_was(
    repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    for number in range(3):
        attempt.commit({f"{number}.txt": "x\n"})
    repo.commit({"more.txt": "more\n"})
    mark = tmp_path / "here"
    repo.hook("post-commit", f"touch {mark}; exec sleep 600")
    before = state(attempt)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run, attempt, "main", "main")
            await until(mark.exists)
            nursery.cancel_scope.cancel()
    assert state(attempt) == before
    assert "rebase in progress" not in attempt.git("status")


@pytest.mark.parametrize("how", ["continue", "abort", "skip"])
async def test_whoever_ends_a_rebase_later_it_is_known_how(
    repo: Checkout, attempt: Checkout, how: str
) -> None:
    tip = attempt.commit({"base.txt": "mine\n"})
    onto = repo.commit({"base.txt": "theirs\n"})
    with pytest.raises(MergeConflicts):
        await run(attempt, "main", "main")

    async def ended() -> bool | None:
        return await finished(repo.path, attempt.path, "work", tip=tip, onto=onto)

    assert await ended() is None
    if how == "continue":
        attempt.write("base.txt", "both\n")
        attempt.git("add", "-A")
    attempt.git("rebase", f"--{how}", GIT_EDITOR="true")
    assert await ended() is (how != "abort")


async def test_a_sparse_checkout_stays_sparse(repo: Checkout, tmp_path: Path) -> None:
    repo.commit({"in/a.txt": "a\n", "out/b.txt": "b\n"})
    attempt = repo.worktree("sparse", "work")
    attempt.git("sparse-checkout", "set", "in")
    attempt.commit({"in/own.txt": "own\n"})
    repo.commit({"out/c.txt": "c\n"})
    await run(attempt, "main", "main")
    assert not (attempt.path / "out").exists()
    assert attempt.status() == []
