from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.diff.status import branch_status, in_progress, status
from anyond.model.refusals.requests import NotFound
from tests.support.checkout import Checkout

ODD = ["tab\there", 'quo"te', "new\nline", "[br]*?.txt", "ünï", " lead", "-dash", "a -> b"]


async def test_a_clean_checkout_has_nothing_to_tell(attempt: Checkout) -> None:
    seen = await status(attempt.path)
    assert seen.clean
    assert (seen.head_oid, seen.branch, seen.op) == (attempt.oid(), "work", None)
    assert (seen.changed, seen.untracked, seen.conflicted) == ([], [], [])


async def test_staged_edited_deleted_and_untracked_files_are_told_apart(attempt: Checkout) -> None:
    attempt.commit({"gone.txt": "x\n", "moved.txt": "something to move\n"})
    attempt.write("base.txt", "edited\n")
    attempt.write("staged.txt")
    attempt.git("add", "staged.txt")
    attempt.git("mv", "moved.txt", "there.txt")
    (attempt.path / "gone.txt").unlink()
    attempt.write("new/a.txt")
    seen = await status(attempt.path)
    assert sorted(seen.changed) == ["base.txt", "gone.txt", "staged.txt", "there.txt"]
    assert seen.untracked == ["new/"]
    assert not seen.clean
    assert (await status(attempt.path, untracked="all")).untracked == ["new/a.txt"]
    assert "moved.txt" in (await status(attempt.path, renames=False)).changed


async def test_a_deleted_and_a_renamed_file_are_changes(attempt: Checkout) -> None:
    (attempt.path / "base.txt").unlink()
    assert not (await status(attempt.path)).clean
    attempt.git("checkout", "-q", "base.txt")
    attempt.git("mv", "base.txt", "renamed.txt")
    found = await status(attempt.path)
    assert (found.clean, found.changed) == (False, ["renamed.txt"])


async def test_strange_names_come_through(attempt: Checkout) -> None:
    for name in ODD:
        attempt.write(name)
    attempt.git("add", ODD[0])
    seen = await status(attempt.path)
    assert sorted([*seen.changed, *seen.untracked]) == sorted(ODD)


async def test_names_that_are_not_utf8_come_through(attempt: Checkout) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    attempt.write(name)
    assert (await status(attempt.path)).untracked == [name]


async def test_reading_the_status_does_not_touch_the_index(attempt: Checkout) -> None:
    before = attempt.index_bytes()
    (attempt.path / "base.txt").touch()
    assert (await status(attempt.path)).clean
    assert attempt.index_bytes() == before


@pytest.mark.parametrize("op", ["rebase", "merge", "cherry_pick", "revert"])
async def test_an_unfinished_operation_is_known_by_name(
    repo: Checkout, attempt: Checkout, op: str
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    repo.commit({"base.txt": "again\n"})
    what = {"revert": "main~1"}.get(op, "main")
    attempt.git(op.replace("_", "-"), what, code=1)
    seen = await status(attempt.path)
    assert seen.op == op
    assert seen.conflicted == ["base.txt"]
    assert seen.rebase_in_progress == (op == "rebase")
    reported = await in_progress(attempt.path)
    assert reported is not None
    assert reported.branch == ("work" if op == "rebase" else None)
    row = await branch_status(repo.path, attempt.path, "work", "main")
    assert (row.conflict_op, row.conflicted_files) == (op, ["base.txt"])


async def test_before_the_first_commit_there_is_no_head(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    fresh = Checkout(tmp_path / "new")
    fresh.git("init", "-q")
    fresh.write("a.txt")
    seen = await status(fresh.path)
    assert (seen.head_oid, seen.branch, seen.untracked) == (None, "main", ["a.txt"])


async def test_where_there_is_no_checkout_there_is_no_status(repo: Checkout) -> None:
    with pytest.raises(NotFound):
        await status(repo.path / "nowhere")


async def test_an_attempts_status_counts_commits_and_files(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.commit({"m.txt": "m\n"})
    attempt.commit({"a.txt": "a\n"})
    attempt.commit({"b.txt": "b\n"})
    attempt.write("base.txt", "edited\n")
    attempt.write("new/1")
    attempt.write("new/2")
    row = await branch_status(repo.path, attempt.path, "work", "main")
    assert (row.commits_ahead, row.commits_behind) == (2, 1)
    assert (row.uncommitted_count, row.untracked_count) == (1, 1)
    assert row.has_uncommitted_changes
    assert row.head_oid == attempt.oid()
    assert row.target_branch_name == "main"
    assert (row.conflict_op, row.is_rebase_in_progress) == (None, False)


async def test_untracked_files_alone_are_no_uncommitted_changes(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.write("new.txt")
    row = await branch_status(repo.path, attempt.path, "work", "main")
    assert not row.has_uncommitted_changes


async def test_a_missing_target_or_worktree_is_no_error(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"a.txt": "a\n"})
    row = await branch_status(repo.path, attempt.path, "work", "gone")
    assert (row.commits_ahead, row.commits_behind) == (0, 0)
    row = await branch_status(repo.path, repo.path / "nowhere", "work", "main")
    assert (row.commits_ahead, row.head_oid) == (1, None)


@pytest.mark.parametrize("with_worktree", [True, False])
async def test_the_upstream_is_compared_as_it_was_fetched_last(
    repo: Checkout, tmp_path: Path, with_worktree: bool
) -> None:
    repo.git("clone", "-q", repo.path, tmp_path / "clone")
    clone = Checkout(tmp_path / "clone")
    clone.commit({"a.txt": "a\n"})
    repo.commit({"m.txt": "m\n"})
    tree = clone.path if with_worktree else None
    row = await branch_status(clone.path, tree, "main", "main")
    assert (row.remote_commits_ahead, row.remote_commits_behind) == (1, 0)
    clone.git("fetch", "-q")
    row = await branch_status(clone.path, tree, "main", "origin/main")
    assert (row.remote_commits_ahead, row.remote_commits_behind) == (1, 1)
    assert (row.commits_ahead, row.commits_behind) == (1, 1)


async def test_a_file_with_an_order_of_paths_that_is_gone_does_not_matter(repo: Checkout) -> None:
    repo.git("config", "diff.orderFile", "gone")
    repo.write("base.txt", "edited\n")
    assert (await status(repo.path)).changed == ["base.txt"]
