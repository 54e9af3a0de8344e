from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.git.diff.status import branch_status
from anyond.git.merging import merge as room
from anyond.git.merging.merge import Strategy, merge
from anyond.git.program.command import GitFailed, version
from anyond.git.repo.inspection import inspect
from anyond.git.repo.repository import Repositories
from anyond.model.errors import Conflict
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.requests import Impossible
from tests.support.checkout import Checkout

STRATEGIES: list[Strategy] = ["merge", "squash", "rebase"]


async def land(repo: Checkout, target: str = "main", **more: Any) -> str:
    repos = more.pop("repos", None) or Repositories()
    message = "Title (anyon 1)"
    return (await merge(repos, repo.path, "work", target, message=message, **more)).after


def parents(repo: Checkout, oid: str) -> list[str]:
    return repo.git("log", "-1", "--format=%P", oid).split()


async def test_a_merge_has_both_parents_and_the_checkout_follows(
    repo: Checkout, attempt: Checkout
) -> None:
    base, tip = repo.oid(), attempt.commit({"a.txt": "a\n"})
    oid = await land(repo)
    assert oid == repo.oid("main")
    assert parents(repo, oid) == [base, tip]
    assert repo.git("log", "-1", "--format=%s %an") == "Title (anyon 1) Ada"
    assert repo.read("a.txt") == "a\n"
    assert repo.status() == attempt.status() == []
    assert attempt.oid("work") == tip


async def test_a_squash_is_one_commit_on_the_target(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"a.txt": "a\n"})
    tip = attempt.commit({"b.txt": "b\n"})
    base = repo.commit({"m.txt": "m\n"})
    oid = await land(repo, strategy="squash")
    assert parents(repo, oid) == [base]
    assert (repo.read("a.txt"), repo.read("b.txt"), repo.read("m.txt")) == ("a\n", "b\n", "m\n")
    assert attempt.oid("work") == tip


async def test_a_rebase_puts_each_commit_on_the_target(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"base.txt": "edited\n"}, "first\n\nbody")
    attempt.git("commit", "-q", "--allow-empty", "-m", "nothing")
    attempt.write("b.txt")
    attempt.git("add", "-A")
    attempt.git("commit", "-q", "-m", "second", "--author", "Grace <g@x>", "--date", "@86400 +0100")
    repo.commit({"m.txt": "m\n"}, "theirs")
    oid = await land(repo, strategy="rebase")
    reported = repo.git("log", "-3", "--format=%s|%an|%cn|%ad", "--date=raw", oid).split("\n")
    assert reported[0] == "second|Grace|Ada|86400 +0100"
    assert [line.split("|")[0] for line in reported] == ["second", "first", "theirs"]
    assert repo.git("log", "-1", "--format=%b", f"{oid}~1") == "body"
    assert repo.status() == []


async def test_a_rebase_on_an_unmoved_target_keeps_the_commits(
    repo: Checkout, attempt: Checkout
) -> None:
    tip = attempt.commit({"a.txt": "a\n"})
    assert await land(repo, strategy="rebase") == tip


async def test_a_rebase_leaves_out_what_the_target_has_already(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"a.txt": "a\n"}, "picked")
    attempt.commit({"b.txt": "b\n"}, "own")
    repo.git("cherry-pick", "work~1")
    repo.commit({"m.txt": "m\n"}, "theirs")
    await land(repo, strategy="rebase")
    subjects = repo.git("log", "-3", "--format=%s").split("\n")
    assert subjects == ["own", "theirs", "picked"]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_target_that_is_checked_out_nowhere_moves_alone(
    repo: Checkout, attempt: Checkout, strategy: Strategy
) -> None:
    repo.git("branch", "release")
    repo.write("base.txt", "local edit\n")
    attempt.commit({"base.txt": "edited\n"})
    attempt.write("dirt.txt")
    oid = await land(repo, "release", strategy=strategy)
    assert repo.oid("release") == oid
    assert repo.git("show", "release:base.txt") == "edited"
    assert repo.status() == [" M base.txt"]
    assert attempt.status() == ["?? dirt.txt"]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_changes_of_the_same_line_are_conflicts_and_nothing_moves(
    repo: Checkout, attempt: Checkout, strategy: Strategy
) -> None:
    attempt.commit({"base.txt": "mine\n", "ünï\n.txt": "mine\n"})
    before = repo.commit({"base.txt": "theirs\n", "ünï\n.txt": "theirs\n"})
    with pytest.raises(MergeConflicts) as caught:
        await land(repo, strategy=strategy)
    assert caught.value.files == ["base.txt", "ünï\n.txt"]
    assert caught.value.data is not None
    assert caught.value.data["op"] == "merge"
    assert repo.oid() == before
    assert repo.status() == []


async def test_other_conflicts_are_conflicts_too(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"image": b"\0mine", "base.txt": "edited\n"})
    repo.git("rm", "-q", "base.txt")
    repo.commit({"image": b"\0theirs"})
    with pytest.raises(MergeConflicts) as caught:
        await land(repo)
    assert sorted(caught.value.files) == ["base.txt", "image"]


async def test_different_bytes_under_one_new_name_are_a_conflict(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"image.bin": b"\0mine"})
    before = repo.commit({"image.bin": b"\0theirs"})
    with pytest.raises(MergeConflicts) as conflict:
        await land(repo)
    assert conflict.value.files == ["image.bin"]
    assert repo.oid("main") == before


async def test_without_an_identity_a_squash_of_anothers_commits_is_anyons(
    repo: Checkout, attempt: Checkout, home: Path
) -> None:
    attempt.write("a.txt", "a\n")
    attempt.git("add", "-A")
    attempt.git("commit", "-q", "-m", "foreign", "--author", "Grace <g@x>")
    (home / ".gitconfig").write_text("")
    await land(repo, strategy="squash")
    assert repo.git("log", "-1", "--format=%an %cn", "main") == "Anyon Anyon"


async def test_refusing_commit_hooks_leave_the_checkout_of_the_target_whole(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"a.txt": "a\n"})
    for hook in ("pre-commit", "pre-merge-commit", "commit-msg"):
        repo.hook(hook, "exit 1")
    before = repo.status()
    new = await land(repo)
    assert repo.oid("main") == repo.oid() == new
    assert repo.status() == before


async def test_a_rename_here_and_an_edit_there_go_together(
    repo: Checkout, attempt: Checkout
) -> None:
    text = "".join(f"{n}\n" for n in range(20))
    repo.commit({"long.txt": text})
    attempt.git("reset", "-q", "--hard", "main")
    attempt.git("mv", "long.txt", "renamed.txt")
    attempt.commit({})
    repo.commit({"long.txt": text + "more\n"})
    await land(repo)
    assert repo.read("renamed.txt") == text + "more\n"
    assert not (repo.path / "long.txt").exists()


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_nothing_to_merge_is_said(
    repo: Checkout, attempt: Checkout, strategy: Strategy
) -> None:
    with pytest.raises(Conflict) as caught:
        await land(repo, strategy=strategy)
    assert caught.value.type == "nothing_to_merge"
    attempt.commit({"a.txt": "a\n"})
    await land(repo, strategy="squash")
    with pytest.raises(Conflict) as caught:
        await land(repo, strategy=strategy)
    assert caught.value.type == "nothing_to_merge"


async def test_after_a_squash_the_attempt_goes_on(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"a.txt": "a\n"})
    await land(repo, strategy="squash")
    attempt.commit({"b.txt": "b\n"})
    await land(repo, strategy="squash")
    assert repo.read("b.txt") == "b\n"


async def test_a_remote_target_and_missing_branches_are_told_apart(
    repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    attempt.commit({"a.txt": "a\n"})
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    with pytest.raises(Conflict) as caught:
        await land(repo, "origin/main")
    assert caught.value.type == "remote_target"
    assert repo.git("branch", "--list", "origin/main") == ""
    with pytest.raises(Impossible):
        await land(repo, "--force")


async def test_unrelated_histories_are_not_merged(repo: Checkout, attempt: Checkout) -> None:
    repo.git("switch", "-q", "--orphan", "island")
    repo.commit({"i.txt": "i\n"})
    with pytest.raises(Conflict) as caught:
        await land(repo, "island")
    assert caught.value.type == "unrelated_histories"


# ---------------------------------------------------------------- the checkout of the target


async def test_local_changes_elsewhere_in_the_checkout_survive(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"base.txt": "edited\n", "a.txt": "a\n"})
    repo.write("other.txt", "staged\n")
    repo.write("staged.txt", "staged\n")
    repo.git("add", "-A")
    repo.write("other.txt", "staged and edited\n")
    repo.write("untracked.txt", "untracked\n")
    before = repo.status()
    await land(repo)
    assert repo.status() == before == ["MM other.txt", "A  staged.txt", "?? untracked.txt"]
    assert repo.git("show", ":other.txt") == "staged"
    assert (repo.read("base.txt"), repo.read("a.txt")) == ("edited\n", "a\n")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "dirt",
    ["edited", "staged", "deleted", "untracked", "ignored", "file for directory",
     "directory for file", "link"],
)  # fmt: skip
async def test_local_changes_in_the_way_refuse_the_merge_before_anything_changes(
    repo: Checkout, attempt: Checkout, strategy: Strategy, dirt: str
) -> None:
    attempt.commit({"base.txt": "mine\n", "new.txt": "mine\n", "dir/new.txt": "mine\n"})
    name = {"untracked": "new.txt", "ignored": "new.txt", "file for directory": "dir",
            "directory for file": "new.txt/x", "link": "new.txt"}.get(dirt, "base.txt")  # fmt: skip
    if dirt == "ignored":
        (repo.path / ".git" / "info" / "exclude").write_text("new.txt\n")
    if dirt == "deleted":
        (repo.path / name).unlink()
    elif dirt == "link":
        (repo.path / name).symlink_to("nowhere")
    else:
        repo.write(name, "precious\n")
    if dirt == "staged":
        repo.git("add", "-A")
    before = repo.oid(), repo.status()
    with pytest.raises(Conflict) as caught:
        await land(repo, strategy=strategy)
    assert caught.value.type == "dirty_target"
    assert caught.value.data is not None
    assert caught.value.data["files"] == [name]
    assert (repo.oid(), repo.status()) == before
    if dirt not in {"deleted", "link"}:
        assert repo.read(name) == "precious\n"


async def test_the_checkout_may_be_another_attempts_worktree(
    repo: Checkout, attempt: Checkout
) -> None:
    parent = repo.worktree("parent", "parent")
    parent.write("other.txt", "in the middle of it\n")
    attempt.commit({"a.txt": "a\n"})
    oid = await land(repo, "parent")
    assert parent.oid() == oid
    assert parent.read("a.txt") == "a\n"
    assert parent.status() == [" M other.txt"]
    assert repo.status() == []


@pytest.mark.parametrize("where", ["attempt", "target"])
async def test_an_unfinished_rebase_on_either_side_refuses_the_merge(
    repo: Checkout, attempt: Checkout, where: str
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    if where == "attempt":
        attempt.git("rebase", "main", code=1)
    else:
        repo.git("rebase", "work", code=1)
    with pytest.raises(Conflict) as caught:
        await land(repo)
    assert caught.value.type == "rebase_in_progress"


async def test_an_unfinished_rebase_of_somebody_else_is_not_in_the_way(
    repo: Checkout, attempt: Checkout
) -> None:
    other = repo.worktree("other", "other")
    other.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    other.git("rebase", "main", code=1)
    attempt.commit({"a.txt": "a\n"})
    assert await land(repo) == repo.oid("main")


async def test_filters_apply_to_the_files_of_the_checkout(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    repo.git("config", "filter.shout.smudge", "tr A-Z a-z")
    attempt.commit({".gitattributes": "a.txt filter=shout\n"})
    attempt.commit({"a.txt": "quiet\n"})
    await land(repo)
    assert repo.git("show", "HEAD:a.txt") == "QUIET"
    assert repo.read("a.txt") == "quiet\n"
    assert repo.status() == []


async def test_a_sparse_checkout_of_the_target_stays_sparse(repo: Checkout, tmp_path: Path) -> None:
    repo.commit({"in/a.txt": "a\n", "out/b.txt": "b\n"})
    tree = repo.worktree("w", "work")
    repo.git("sparse-checkout", "set", "in")
    tree.commit({"out/b.txt": "changed\n", "in/a.txt": "changed\n"})
    await land(repo)
    assert repo.read("in/a.txt") == "changed\n"
    assert not (repo.path / "out").exists()
    assert repo.status() == []


async def test_a_bare_repository_can_be_merged_in(
    repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    attempt.commit({"a.txt": "a\n"})
    repo.git("clone", "-q", "--bare", repo.path, tmp_path / "bare")
    bare = Checkout(tmp_path / "bare")
    assert await land(bare) == bare.oid("main")


async def test_signed_where_signing_is_configured(
    repo: Checkout, attempt: Checkout, tmp_path: Path
) -> None:
    attempt.commit({"a.txt": "a\n"})
    repo.git("config", "commit.gpgsign", "true")
    repo.git("config", "gpg.program", str(tmp_path / "nowhere"))
    before = repo.oid()
    with pytest.raises(GitFailed):
        await land(repo)
    assert repo.oid() == before


# ---------------------------------------------------------------- at the same time


@pytest.mark.parametrize("target", ["main", "release"])
async def test_two_merges_at_once_both_land(repo: Checkout, target: str) -> None:
    repo.git("branch", "release")
    for name in ("one", "two"):
        repo.worktree(name, name).commit({f"{name}.txt": "x\n"})
    repos = Repositories()
    async with trio.open_nursery() as nursery:
        for name in ("one", "two"):
            work = partial(merge, repos, repo.path, name, target, message=name)
            nursery.start_soon(work)
    files = repo.git("ls-tree", "--name-only", target).split("\n")
    assert files == ["base.txt", "one.txt", "other.txt", "two.txt"]
    assert repo.status() == []


@pytest.mark.parametrize("target", ["main", "release"])
async def test_a_target_that_moves_meanwhile_is_merged_again(
    repo: Checkout, attempt: Checkout, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    repo.git("branch", "release")
    attempt.commit({"a.txt": "a\n"})
    combine = room._combine
    moved: list[str] = []

    async def combine_slowly(*args: Any) -> str:
        new = await combine(*args)
        if not moved:
            repo.git("switch", "-q", target)
            moved.append(repo.commit({"m.txt": "m\n"}))
            repo.git("switch", "-q", "main")
        return new

    monkeypatch.setattr(room, "_combine", combine_slowly)
    oid = await land(repo, target)
    assert parents(repo, oid)[0] == moved[0]
    assert repo.oid(target) == oid
    assert repo.status() == []


async def test_a_target_that_never_rests_is_given_up(
    repo: Checkout, attempt: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt.commit({"a.txt": "a\n"})
    combine = room._combine

    async def never_first(*args: Any) -> str:
        new = await combine(*args)
        repo.git("commit", "-q", "--allow-empty", "-m", "quicker")
        return new

    monkeypatch.setattr(room, "_combine", never_first)
    with pytest.raises(Conflict) as caught:
        await land(repo)
    assert caught.value.type == "target_moved"


async def test_a_ref_that_may_not_move_is_an_error_and_not_a_race(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.git("branch", "release")
    attempt.commit({"a.txt": "a\n"})
    script = 'grep -q refs/heads/release && [ "$1" = prepared ] && exit 1; exit 0'
    repo.hook("reference-transaction", script)
    with pytest.raises(GitFailed):
        await land(repo, "release")


async def test_a_repository_with_reftables_is_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    repo = Checkout(tmp_path / "tables")
    if await version() < (2, 45):
        pytest.skip("this git has no reftables")
    repo.git("init", "-q", "--ref-format=reftable")
    repo.commit({"base.txt": "base\n"})
    attempt = repo.worktree("work", "work")
    attempt.commit({"a.txt": "a\n"})
    assert (await inspect(repo.path)).reftable
    row = await branch_status(repo.path, attempt.path, "work", "main")
    assert (row.commits_ahead, row.commits_behind) == (1, 0)
    assert await land(repo) == repo.oid("main")
    assert repo.status() == []


async def test_a_target_that_is_another_name_of_a_branch_is_that_branch(
    repo: Checkout, attempt: Checkout, repos: Repositories
) -> None:
    attempt.commit({"new.txt": "new\n"})
    repo.git("symbolic-ref", "refs/heads/master", "refs/heads/main")
    repo.git("symbolic-ref", "refs/heads/trunk", "refs/heads/master")
    merged = await merge(repos, repo.path, "work", "trunk", message="Land")
    assert repo.oid("main") == repo.oid("trunk") == merged.after
    assert repo.git("symbolic-ref", "refs/heads/trunk") == "refs/heads/main"
    assert repo.read("new.txt") == "new\n"
    assert repo.status() == []
    repo.git("checkout", "-q", "master")
    attempt.commit({"base.txt": "mine\n"})
    repo.write("base.txt", "mine, too\n")
    with pytest.raises(Conflict) as refusal:
        await merge(repos, repo.path, "work", "master", message="Land")
    assert refusal.value.type == "dirty_target"
    assert repo.oid("main") == merged.after


async def test_a_checkout_whose_branch_may_not_move_is_as_it_was(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"a.txt": "a\n", "base.txt": "edited\n"})
    repo.write("mine.txt", "mine\n")
    repo.git("add", "mine.txt")
    before, staged = repo.oid(), repo.status()
    script = 'grep -q refs/heads/main && [ "$1" = prepared ] && echo no >&2 && exit 1; exit 0'
    repo.hook("reference-transaction", script)
    with pytest.raises(GitFailed, match="no"):
        await land(repo)
    assert repo.oid() == before
    assert repo.status() == staged == ["A  mine.txt"]
    assert not (repo.path / "a.txt").exists()
