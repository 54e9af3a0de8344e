"""What is looked at before anything moves, and what is left to whoever has begun it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anyond.git.merging import half_merge, rebase, rebase_messages
from anyond.git.merging.merge import merge
from anyond.git.merging.merge_record import MergeRecord
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.model.refusals.git import FilterMissing
from anyond.model.refusals.worktrees import DirtyTarget
from tests.support.checkout import Checkout


async def test_a_target_whose_checkout_is_away_for_now_is_not_moved_behind_its_back(
    repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.git("branch", "develop")
    away = repo.worktree("away", "release", "main")
    repo.git("worktree", "lock", str(away.path))
    shutil.rmtree(away.path)
    before = repo.oid("release")
    with pytest.raises(DirtyTarget):
        await merge(Repositories(), repo.path, "work", "release", message="T")
    assert repo.oid("release") == before
    # Another branch is none of its business.
    record = await merge(Repositories(), repo.path, "work", "develop", message="T")
    assert repo.oid("develop") == record.after


async def test_a_filter_that_is_missing_refuses_a_rebase_before_any_file_is_written(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"mine.txt": "mine\n"})
    repo.commit({"a.txt": "a\n", "secret.bin": "s\n", ".gitattributes": "*.bin filter=vault\n"})
    repo.git("config", "filter.vault.required", "true")
    repo.git("config", "filter.vault.smudge", "no-such-program")
    before = attempt.oid()
    target = await branches.resolve(repo.path, "main")
    planned = await rebase.plan(attempt.path, "work", target, target)
    with pytest.raises(FilterMissing):
        await rebase.rebase(Repositories(), attempt.path, planned)
    assert (attempt.oid(), attempt.status()) == (before, [])
    assert not (attempt.path / "a.txt").exists()


@pytest.mark.parametrize(
    ("tip", "onto", "stopped", "cut"),
    [
        ("a" * 40, "b" * 40, False, True),
        ("a" * 40, "b" * 40, True, False),  # it waits for somebody
        ("a" * 40, "c" * 40, False, False),  # of somebody else
        ("c" * 40, "b" * 40, False, False),
    ],
)
async def test_a_rebase_that_somebody_else_has_begun_is_not_one_of_ours_that_was_cut(
    attempt: Checkout, tip: str, onto: str, stopped: bool, cut: bool
) -> None:
    state = Path(attempt.git("rev-parse", "--absolute-git-dir")) / "rebase-merge"
    state.mkdir()
    (state / "orig-head").write_text(f"{tip}\n")
    (state / "onto").write_text(f"{onto}\n")
    if stopped:
        (state / "stopped-sha").write_text("d" * 40)
    assert await rebase.was_cut(attempt.path, tip="a" * 40, onto="b" * 40) is cut


async def test_messages_are_left_alone_where_no_line_can_have_been_lost(
    repo: Checkout, attempt: Checkout
) -> None:
    tip = attempt.commit({"mine.txt": "mine\n"}, "#1 Mine")
    onto = repo.oid("main")
    attempt.git("commit", "-q", "--amend", "-m", "Mine")
    before = attempt.oid()
    repo.git("config", "core.commentChar", "auto")
    repos = Repositories()
    found = await rebase_messages.restore(repos, attempt.path, "work", tip=tip, onto=onto)
    assert found is False
    assert attempt.oid() == before


async def test_a_merge_that_was_cut_between_two_files_is_finished(repo: Checkout) -> None:
    repo.commit({"a.txt": "old\n", "b.txt": "old\n"})
    before = repo.oid("main")
    repo.git("checkout", "-q", "-b", "later")
    repo.commit({"a.txt": "new\n", "b.txt": "new\n"})
    after = repo.oid("later")
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "new\n")
    (repo.path / "b.txt").unlink()  # git takes a file away before it writes it anew
    goal = MergeRecord(before, after)
    assert await half_merge.finish(Repositories(), repo.path, "main", goal) is True
    assert (repo.oid("main"), repo.read("b.txt"), repo.status()) == (after, "new\n", [])
