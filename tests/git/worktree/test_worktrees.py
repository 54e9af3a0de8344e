from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import trio

from anyond.git.program.command import GitFailed
from anyond.git.repo import excludes
from anyond.git.repo.repository import Repositories
from anyond.git.worktree import worktrees
from anyond.model.errors import Conflict
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from tests.support.checkout import Checkout, until


async def test_a_worktree_has_a_branch_of_its_own_with_all_files(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "tree"
    await worktrees.add(repos, repo.path, path, "anyon/x-1", "main")
    made = Checkout(path)
    assert made.read("base.txt") == "base\n"
    assert made.status() == []
    assert await worktrees.current_branch(path) == "anyon/x-1"
    assert await worktrees.head(path) == repo.oid()
    assert [tree.branch for tree in await worktrees.list_checkouts(repo.path)] == [
        "main",
        "anyon/x-1",
    ]


async def test_a_remote_branch_can_be_the_base_and_does_not_become_the_upstream(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    repo.git("branch", "develop")
    repo.git("clone", "-q", repo.path, tmp_path / "clone")
    clone = Checkout(tmp_path / "clone")
    await worktrees.add(repos, clone.path, tmp_path / "w", "x", "origin/develop")
    assert clone.git("config", "--get", "branch.x.merge", code=1) == ""


async def test_the_hook_of_a_checkout_runs(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    repo.hook("post-checkout", "touch hooked")
    await worktrees.add(repos, repo.path, tmp_path / "w", "x", "main")
    assert (tmp_path / "w" / "hooked").exists()


@pytest.mark.parametrize("branch", ["-x", "--detach", "a b", ""])
async def test_hostile_branch_names_are_refused(
    repo: Checkout, repos: Repositories, tmp_path: Path, branch: str
) -> None:
    with pytest.raises(Invalid):
        await worktrees.add(repos, repo.path, tmp_path / "w", branch, "main")
    assert not (tmp_path / "w").exists()


async def test_a_path_that_looks_like_an_option_is_only_a_path(
    repo: Checkout, repos: Repositories
) -> None:
    path = repo.path.parent / "-f"
    await worktrees.add(repos, repo.path, path, "x", "main")
    assert (path / "base.txt").exists()
    await worktrees.remove(repos, repo.path, path)
    assert not path.exists()


async def test_a_missing_base_a_taken_name_and_a_taken_path_are_told_apart(
    repo: Checkout, attempt: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    with pytest.raises(Impossible):
        await worktrees.add(repos, repo.path, tmp_path / "w", "x", "nope")
    with pytest.raises(Conflict) as caught:
        await worktrees.add(repos, repo.path, tmp_path / "w", "work", "main")
    assert caught.value.type == "name_taken"
    with pytest.raises(Conflict) as caught:
        await worktrees.add(repos, repo.path, attempt.path, "x", "main")
    assert caught.value.type == "path_taken"
    assert (attempt.path / "base.txt").exists()


async def test_a_failed_checkout_leaves_nothing_behind(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    repo.hook("post-checkout", "rm base.txt; echo no >&2; exit 1")
    with pytest.raises(GitFailed, match="no"):
        await worktrees.add(repos, repo.path, tmp_path / "w", "x", "main")
    assert not (tmp_path / "w").exists()
    assert repo.git("branch", "--list", "x") == ""
    assert not list((repo.path / ".git" / "worktrees").glob("*"))


async def test_a_cancelled_checkout_leaves_nothing_behind_and_does_not_hold_the_lock(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    repo.hook("post-checkout", "touch started; exec sleep 1000")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worktrees.add, repos, repo.path, tmp_path / "w", "x", "main")
        await until((tmp_path / "w" / "started").exists)
        async with repos.lock(repo.path):
            pass
        nursery.cancel_scope.cancel()
    assert not (tmp_path / "w").exists()
    assert repo.git("branch", "--list", "x") == ""
    assert len(await worktrees.list_checkouts(repo.path)) == 1


async def test_a_good_worktree_is_left_alone(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("base.txt", "edited\n")
    done = await worktrees.ensure(repos, repo.path, attempt.path, "work")
    assert done == worktrees.Ensured("present", on_branch=True)
    attempt.git("switch", "-q", "--detach")
    assert not (await worktrees.ensure(repos, repo.path, attempt.path, "work")).on_branch
    assert attempt.read("base.txt") == "edited\n"


async def test_a_vanished_directory_comes_back_with_what_was_staged(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("staged.txt", "staged\n")
    attempt.git("add", "-A")
    shutil.rmtree(attempt.path)
    done = await worktrees.ensure(repos, repo.path, attempt.path, "work")
    assert done.what == "repaired"
    assert attempt.status() == ["A  staged.txt"]
    assert attempt.read("staged.txt") == "staged\n"


async def test_a_vanished_directory_comes_back_in_the_middle_of_its_rebase(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("rebase", "main", code=1)
    shutil.rmtree(attempt.path)
    done = await worktrees.ensure(repos, repo.path, attempt.path, "work")
    assert done == worktrees.Ensured("repaired", on_branch=True)
    attempt.git("rebase", "--abort")
    assert attempt.read("base.txt") == "mine\n"


async def test_a_pruned_worktree_is_made_again_from_its_branch(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.commit({"a.txt": "a\n"})
    shutil.rmtree(attempt.path)
    repo.git("worktree", "prune")
    done = await worktrees.ensure(repos, repo.path, attempt.path, "work")
    assert done.what == "recreated"
    assert attempt.read("a.txt") == "a\n"
    assert attempt.status() == []


async def test_work_in_a_directory_whose_record_was_pruned_stays_where_it_is(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("unsaved.txt", "hours\n")
    away = attempt.path.rename(attempt.path.with_name("unmounted"))
    repo.git("worktree", "prune")
    away.rename(attempt.path)
    done = await worktrees.ensure(repos, repo.path, attempt.path, "work")
    assert done == worktrees.Ensured("repaired", on_branch=True)
    assert attempt.status() == ["?? unsaved.txt"]


async def test_a_worktree_that_was_moved_is_linked_again(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("unsaved.txt")
    moved = Checkout(attempt.path.rename(attempt.path.with_name("moved")))
    assert (await worktrees.ensure(repos, repo.path, moved.path, "work")).what == "repaired"
    repo.git("worktree", "prune")
    assert moved.status() == ["?? unsaved.txt"]


async def test_a_lost_link_is_written_again(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("unsaved.txt")
    (attempt.path / ".git").unlink()
    assert (await worktrees.ensure(repos, repo.path, attempt.path, "work")).what == "repaired"
    assert attempt.status() == ["?? unsaved.txt"]


@pytest.mark.parametrize("foreign", ["files", "repository", "file"])
async def test_what_is_in_the_way_is_moved_aside_never_deleted(
    repo: Checkout, repos: Repositories, tmp_path: Path, foreign: str
) -> None:
    repo.git("branch", "work")
    path = tmp_path / "w"
    if foreign == "file":
        path.write_text("thesis\n")
    else:
        path.mkdir()
        (path / "thesis.txt").write_text("years\n")
    if foreign == "repository":
        Checkout(path).git("init", "-q")
    (tmp_path / "w.saved-1").mkdir()
    done = await worktrees.ensure(repos, repo.path, path, "work")
    assert done == worktrees.Ensured("recreated", on_branch=True, saved=tmp_path / "w.saved-2")
    saved = tmp_path / "w.saved-2"
    assert saved.read_text() if foreign == "file" else (saved / "thesis.txt").exists()
    assert Checkout(path).status() == []


async def test_an_interrupted_checkout_is_finished_without_overwriting(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    tree = Checkout(tmp_path / "w")
    repo.git("worktree", "add", "-q", "--no-checkout", "-b", "work", tree.path)
    tree.write("base.txt", "already here\n")
    assert (await worktrees.ensure(repos, repo.path, tree.path, "work")).what == "repaired"
    assert tree.status() == [" M base.txt"]
    assert tree.read("other.txt") == "other\n"


async def test_without_a_branch_there_is_nothing_to_make_it_from(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        await worktrees.ensure(repos, repo.path, tmp_path / "w", "gone")
    with pytest.raises(Conflict) as caught:
        await worktrees.ensure(repos, repo.path, tmp_path / "w", "main")
    assert caught.value.type == "branch_checked_out"


async def test_removing_takes_the_directory_and_leaves_the_branch(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.write("untracked.txt")
    attempt.write("ro/file").parent.chmod(0o555)
    (attempt.path / "link").symlink_to(repo.path)
    await worktrees.remove(repos, repo.path, attempt.path)
    assert not attempt.path.exists()
    assert (repo.path / "base.txt").exists()
    assert len(await worktrees.list_checkouts(repo.path)) == 1
    assert repo.git("branch", "--list", "work") == "  work"


async def test_a_locked_worktree_and_the_main_checkout_are_not_removed(
    repo: Checkout, attempt: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    repo.git("worktree", "lock", attempt.path)
    with pytest.raises(Conflict, match="locked"):
        await worktrees.remove(repos, repo.path, attempt.path)
    for path in (repo.path, tmp_path / "nowhere"):
        with pytest.raises(NotFound):
            await worktrees.remove(repos, repo.path, path)
    assert (attempt.path / "base.txt").exists()
    assert (repo.path / "base.txt").exists()


async def test_excluded_patterns_are_written_once_and_nothing_else_is_changed(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    file = repo.path / ".git" / "info" / "exclude"
    file.write_text("# mine\n*.o")
    for _ in range(2):
        await worktrees.exclude(repos, attempt.path, ["/.vibe/images/", "/.env"])
    assert file.read_text() == "# mine\n*.o\n/.vibe/images/\n/.env\n"
    attempt.write(".env")
    assert attempt.status() == []
    with pytest.raises(Invalid):
        await worktrees.exclude(repos, attempt.path, ["a\n!b"])


async def test_files_are_hidden_whatever_they_are_called(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.commit({".gitignore": "*.log\n"})
    odd = ["[a]*", "b?", "c\\d", " e ", "f\ng", "h\r", "#i", "!j", "k/[l] m", os.fsdecode(b"\xff")]
    hidden = await excludes.hide(repos, attempt.path, [*odd, "n.log", "base.txt"])
    assert hidden == [*odd, "n.log"]
    for name in (*hidden, "a", "bb"):
        (attempt.path / name).parent.mkdir(exist_ok=True)
        (attempt.path / name).write_text("x")
    assert attempt.status() == ["?? a", "?? bb"]
    file = repo.path / ".git" / "info" / "exclude"
    before = file.read_bytes()
    assert b"n.log" not in before
    await excludes.hide(repos, attempt.path, odd)
    assert file.read_bytes() == before


async def test_a_sparse_checkout_stays_sparse(
    repo: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    repo.commit({"in/a.txt": "a\n", "out/b.txt": "b\n"})
    repo.git("sparse-checkout", "set", "in")
    await worktrees.add(repos, repo.path, tmp_path / "w", "x", "main")
    assert (tmp_path / "w" / "in" / "a.txt").exists()
    assert not (tmp_path / "w" / "out").exists()
    assert Checkout(tmp_path / "w").status() == []
