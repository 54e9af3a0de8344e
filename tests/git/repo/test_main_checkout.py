from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from anyond.git.diff.status import branch_status
from anyond.git.disk.locations import remember
from anyond.git.merging.merge import merge
from anyond.git.repo import checkouts, main_checkout
from anyond.git.repo.inspection import inspect
from anyond.git.repo.repository import Repositories, adopt
from anyond.model.errors import Conflict
from tests.support.checkout import Checkout


def made(path: Path, *more: str) -> Checkout:
    path.mkdir(parents=True)
    repo = Checkout(path)
    repo.git("init", "-q", "--template=", *more)
    repo.commit({"base.txt": "base\n"}, "base")
    return repo


def worked(repo: Checkout, where: Path) -> Checkout:
    """An attempt of `repo` that has a commit."""
    repo.git("worktree", "add", "-q", "-b", "work", where, "main")
    attempt = Checkout(where)
    attempt.commit({"new.txt": "new\n"}, "work")
    return attempt


async def land(repo: Checkout) -> str:
    return (await merge(Repositories(), repo.path, "work", "main", message="Join")).after


def follows(repo: Checkout, oid: str) -> None:
    assert repo.oid("main") == repo.oid("HEAD") == oid
    assert repo.status() == []
    assert repo.read("new.txt") == "new\n"


async def refused(repo: Checkout, words: str) -> None:
    before = repo.git("rev-parse", "refs/heads/main")
    with pytest.raises(Conflict, match=words) as caught:
        await land(repo)
    assert caught.value.type == "dirty_target"
    assert repo.git("rev-parse", "refs/heads/main") == before


async def test_the_checkout_of_a_submodule_follows(tmp_path: Path) -> None:
    library, outer = made(tmp_path / "library"), made(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", library.path, "vendor/library")
    outer.commit({}, "submodule")
    inner = Checkout(outer.path / "vendor/library")
    worked(inner, tmp_path / "attempt")
    assert [tree.path for tree in await checkouts.list_checkouts(inner.path)] == [
        inner.path,
        tmp_path / "attempt",
    ]
    follows(inner, await land(inner))
    assert not (outer.path / ".git/modules/vendor/library/new.txt").exists()


async def test_the_checkout_of_a_submodule_that_was_added_from_inside_follows(
    tmp_path: Path,
) -> None:
    outer = made(tmp_path / "outer")
    inner = made(outer.path / "library")
    outer.git("submodule", "--quiet", "add", "./library", "library")
    worked(inner, tmp_path / "attempt")
    follows(inner, await land(inner))


async def test_a_checkout_whose_repository_lies_elsewhere_follows(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo", f"--separate-git-dir={tmp_path / 'elsewhere.git'}")
    worked(repo, tmp_path / "attempt")
    follows(repo, await land(repo))


async def test_a_checkout_that_nobody_can_find_is_not_left_behind(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo", f"--separate-git-dir={tmp_path / 'elsewhere.git'}")
    repo.git("branch", "other")
    repo.git("worktree", "add", "-q", tmp_path / "linked", "other")
    linked = Checkout(tmp_path / "linked")
    worked(linked, tmp_path / "attempt")
    await refused(linked, "does not say where the files of the branch main are")
    assert repo.status() == []
    repo.git("checkout", "-q", "--detach")
    await land(linked)


async def test_a_linked_repository_is_found_through_the_link(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo")
    (repo.path / ".git").rename(tmp_path / "store")
    (repo.path / ".git").symlink_to(tmp_path / "store")
    worked(repo, tmp_path / "attempt")
    follows(repo, await land(repo))


async def test_a_work_tree_that_only_the_configuration_names_is_not_left_behind(
    tmp_path: Path,
) -> None:
    """As `yadm` and others keep the files of a home directory."""
    home, store = tmp_path / "files", tmp_path / "store.git"
    home.mkdir()
    everywhere = {"GIT_DIR": os.fspath(store), "GIT_WORK_TREE": os.fspath(home)}
    repo = Checkout(home)
    repo.git("init", "-q", "--template=", code=0, **everywhere)
    repo.write("base.txt", "base\n")
    repo.git("add", "base.txt", code=0, **everywhere)
    repo.git("commit", "-qm", "base", code=0, **everywhere)
    bare = Checkout(store)
    worked(bare, tmp_path / "attempt")
    assert bare.git("config", "core.worktree") == os.fspath(home)
    await refused(Checkout(tmp_path / "attempt"), f"files of the branch main are in {home}")


@pytest.mark.parametrize("named", ["top", "git directory"])
async def test_an_attempt_is_looked_at_although_the_files_of_main_are_elsewhere(
    tmp_path: Path, named: str
) -> None:
    repo = made(tmp_path / "repo")
    (tmp_path / "files").mkdir()
    repo.git("config", "core.worktree", tmp_path / "files")
    assert (await inspect(repo.path)).root == repo.path
    attempt = worked(repo, tmp_path / "attempt")
    attempt.write("more.txt")
    project = repo.path if named == "top" else repo.path / ".git"
    row = await branch_status(project, attempt.path, "work", "main")
    assert row.unknown == {}
    assert (row.head_oid, row.untracked_count) == (attempt.oid(), 1)


@pytest.mark.parametrize("how", ["shared", "own"])
async def test_core_bare_that_a_tool_has_set_refuses_a_merge_and_says_what_to_do(
    tmp_path: Path, how: str
) -> None:
    repo = made(tmp_path / "repo")
    attempt = worked(repo, tmp_path / "attempt")
    if how == "own":
        repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", *(["--worktree"] if how == "own" else []), "core.bare", "true")
    await refused(attempt, "core.bare is true in the configuration of")
    remember(repo.path, repo.path / ".git", repo.path / ".git")
    await refused(attempt, "core.bare is true in the configuration of")
    await refused(repo, f"git --git-dir={repo.path / '.git'} config core.bare false")
    repo.git("config", *(["--worktree"] if how == "own" else []), "core.bare", "false")
    assert repo.status() == []
    follows(repo, await land(repo))


async def test_core_bare_in_a_submodule_refuses_a_merge_too(tmp_path: Path) -> None:
    library, outer = made(tmp_path / "library"), made(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", library.path, "library")
    inner = Checkout(outer.path / "library")
    attempt = worked(inner, tmp_path / "attempt")
    store = Checkout(outer.path / ".git/modules/library")
    store.git("config", "--file", "config", "core.bare", "true")
    await refused(attempt, "core.bare is true")


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", [".bare", ".git"])
async def test_the_worktrees_of_a_bare_repository_follow(
    tmp_path: Path, name: str, sparse: bool
) -> None:
    origin, place = made(tmp_path / "origin"), tmp_path / "place"
    place.mkdir()
    origin.git("clone", "-q", "--bare", origin.path, place / name)
    if name == ".bare":
        (place / ".git").write_text("gitdir: ./.bare\n")
    Checkout(place / name).git("worktree", "add", "-q", place / "main", "main")
    main = Checkout(place / "main")
    if sparse:
        # This moves `core.bare` where git does not look for it from a worktree.
        main.git("sparse-checkout", "set", "--no-cone", "/*")
    worked(main, tmp_path / "attempt")
    listed = await checkouts.list_checkouts(main.path)
    assert [tree.bare for tree in listed] == [True, False, False]
    assert listed[0].branch is None
    follows(main, await land(main))
    assert not (place / name / "new.txt").exists()


async def test_a_repository_that_was_made_bare_may_keep_its_old_index(tmp_path: Path) -> None:
    repo, place = made(tmp_path / "repo"), tmp_path / "place"
    place.mkdir()
    shutil.move(repo.path / ".git", place / ".bare")
    bare = Checkout(place / ".bare")
    bare.git("config", "core.bare", "true")
    worked(bare, tmp_path / "attempt")
    await refused(bare, "bare repository with an index")
    bare.git("worktree", "add", "-q", place / "main", "main")
    main = Checkout(place / "main")
    follows(main, await land(main))


async def test_a_worktree_that_was_moved_by_hand_follows(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo")
    repo.git("switch", "-q", "-c", "other")
    repo.git("worktree", "add", "-q", tmp_path / "before", "main")
    shutil.move(tmp_path / "before", tmp_path / "after")
    moved = Checkout(tmp_path / "after")
    worked(repo, tmp_path / "attempt")
    follows(moved, await land(moved))


async def test_a_place_that_is_gone_is_not_believed(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo")
    attempt = worked(repo, tmp_path / "attempt")
    repo.git("config", "core.worktree", "../../nowhere")
    found = await main_checkout.find(attempt.path)
    assert found.unreachable is not None
    assert "nowhere" in found.unreachable
    await refused(attempt, "nowhere")


async def test_the_branch_of_a_checkout_counts_that_git_does_not_list(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo")
    repo.git("switch", "-q", "-c", "dev")
    attempt = worked(repo, tmp_path / "attempt")
    assert (await inspect(attempt.path)).default_branch == "dev"
    repo.git("config", "core.bare", "true")
    assert (await inspect(attempt.path)).default_branch == "dev"


async def test_what_a_bare_repository_calls_its_head_is_not_checked_out(tmp_path: Path) -> None:
    repo = made(tmp_path / "repo")
    repo.git("branch", "dev")
    repo.git("clone", "-q", "--bare", repo.path, tmp_path / "bare.git")
    bare = Checkout(tmp_path / "bare.git")
    bare.git("symbolic-ref", "HEAD", "refs/heads/dev")
    assert (await inspect(bare.path)).default_branch == "main"


@pytest.mark.parametrize("moved", ["nothing", "the repository", "the checkout", "both"])
async def test_a_repository_elsewhere_has_its_checkout_for_its_worktrees_too(
    tmp_path: Path, moved: str
) -> None:
    place = tmp_path / "elsewhere.git"
    repo = made(tmp_path / "repo", f"--separate-git-dir={place}")
    attempt = worked(repo, tmp_path / "attempt")
    assert await adopt(repo.path) == place
    remember(attempt.path, place)
    if moved in {"the repository", "both"}:
        place = place.rename(tmp_path / "moved.git")
        (repo.path / ".git").write_text(f"gitdir: {place}\n")
        repo.git("worktree", "repair")
    if moved in {"the checkout", "both"}:
        repo = Checkout(repo.path.rename(tmp_path / "moved"))
        assert await adopt(repo.path) == place
        remember(attempt.path, place)
    for start in (attempt.path, repo.path):
        main, linked = await checkouts.list_checkouts(start)
        assert (main.path, main.branch, main.unreachable) == (repo.path, "main", None)
        assert linked.path == attempt.path
    oid = (await merge(Repositories(), attempt.path, "work", "main", message="Join")).after
    follows(repo, oid)
