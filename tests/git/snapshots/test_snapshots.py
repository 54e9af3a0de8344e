from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trio

from anyond.git.files import ignored_copies
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots import snapshot_refs, snapshots
from anyond.git.snapshots.reset import abort, reset
from anyond.model.errors import Conflict
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import Invalid, NotFound
from tests.support.checkout import Checkout

ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"


async def back(repo: Checkout, ref: str) -> Checkout:
    path = repo.path.parent / "back"
    await snapshots.restore(Repositories(), repo.path, ref, path)
    return Checkout(path)


def everything(tree: Checkout) -> dict[str, str | bytes]:
    files = (file for file in tree.path.rglob("*") if ".git" not in file.parts)
    return {str(f.relative_to(tree.path)): f.read_bytes() for f in files if f.is_file()}


async def test_head_index_and_files_come_back_as_they_were(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({"gone.txt": "g\n", "run.sh": "x\n", ".gitignore": "*.log\n"})
    attempt.write("base.txt", "staged\n")
    attempt.write("both.txt", "staged\n")
    attempt.git("add", "-A")
    attempt.write("both.txt", "staged and edited\n")
    attempt.write("other.txt", "edited\n")
    attempt.write("new/[odd]\tname\n", "untracked\n")
    attempt.write("a.log", "ignored\n")
    (attempt.path / "gone.txt").unlink()
    (attempt.path / "run.sh").chmod(0o755)
    (attempt.path / "link").symlink_to("base.txt")
    before = attempt.status(), attempt.oid(), attempt.index_bytes()

    ref = await snapshots.take(repo.path, attempt.path, ONE, "before a test")

    assert (attempt.status(), attempt.oid(), attempt.index_bytes()) == before
    assert ref == f"refs/anyon/snapshots/{ONE}/1"
    tree = await back(repo, ref)
    assert tree.status() == before[0]
    assert tree.oid() == before[1]
    expected = everything(attempt)
    del expected["a.log"]
    assert everything(tree) == expected
    assert tree.git("show", ":both.txt") == "staged"
    assert (tree.path / "link").is_symlink()


async def test_empty_directories_come_back_and_ignored_ones_do_not(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.write(".gitignore", "build/\n*.o\n")
    attempt.write("full/file")
    attempt.write("only/ignored.o")
    made = ["a/b/c", "a/b/d e\n%", "full/empty", "sü[ß]"]
    for name in [*made, "build/x", "only/x"]:
        (attempt.path / name).mkdir(parents=True, exist_ok=True)
    (attempt.path / "link").symlink_to("full/empty")
    ref = await snapshots.take(repo.path, attempt.path, ONE, "test")
    tree = await back(repo, ref)
    found = [
        str(path.relative_to(tree.path))
        for path in tree.path.rglob("*")
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    ]
    assert sorted(found) == made
    (stored,) = await snapshot_refs.list_snapshots(repo.path, ONE)
    assert stored.reason == "test"


async def test_a_snapshot_of_somebody_else_makes_no_directory_elsewhere(
    repo: Checkout, attempt: Checkout
) -> None:
    (attempt.path / "empty").mkdir()
    (attempt.path / "out").symlink_to("..")
    ref = await snapshots.take(repo.path, attempt.path, ONE, "test")
    message = repo.git("show", "-s", "--format=%B", ref)
    assert "\nAnyon-Empty: empty" in message
    wrong = "../elsewhere /tmp/elsewhere out/elsewhere .git/elsewhere base.txt empty"
    message = message.replace("Anyon-Empty: empty", f"Anyon-Empty: {wrong}")
    parents = repo.git("show", "-s", "--format=%P", ref).split()
    ask = [part for parent in parents for part in ("-p", parent)]
    repo.git("update-ref", ref, repo.git("commit-tree", *ask, "-m", message, f"{ref}^{{tree}}"))
    tree = await back(repo, ref)
    assert (tree.path / "empty").is_dir()
    assert tree.read("base.txt") == "base\n"
    assert not list(repo.path.parent.rglob("elsewhere"))


async def test_conflicts_come_back_as_conflicts(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"base.txt": "mine\n", "both.txt": "mine\n"})
    repo.git("rm", "-q", "base.txt")
    repo.commit({"both.txt": "theirs\n"})
    attempt.git("rebase", "main", code=1)
    before = attempt.git("ls-files", "--stage"), attempt.status(), attempt.index_bytes()
    ref = await snapshots.take(repo.path, attempt.path, ONE, "mid-rebase")
    assert attempt.index_bytes() == before[2]
    tree = await back(repo, ref)
    assert (tree.git("ls-files", "--stage"), tree.status()) == before[:2]
    assert tree.read("both.txt") == attempt.read("both.txt")
    (stored,) = await snapshot_refs.list_snapshots(repo.path, ONE)
    assert (stored.op, stored.branch, stored.head) == ("rebase", None, attempt.oid())


async def test_a_snapshot_is_listed_with_what_it_is(repo: Checkout, attempt: Checkout) -> None:
    first = await snapshots.take(repo.path, attempt.path, ONE, "reset\n\nto 1: now")
    second = await snapshots.take(repo.path, attempt.path, ONE, "")
    await snapshots.take(repo.path, attempt.path, TWO, "other")
    assert [stored.ref for stored in await snapshot_refs.list_snapshots(repo.path, ONE)] == [
        first,
        second,
    ]
    assert len(await snapshot_refs.list_snapshots(repo.path)) == 3
    stored = (await snapshot_refs.list_snapshots(repo.path, ONE))[0]
    assert (stored.attempt_id, stored.number, stored.reason) == (ONE, 1, "reset\n\nto 1: now")
    assert (stored.branch, stored.head, stored.op) == ("work", attempt.oid(), None)
    assert stored.created_at.endswith("Z")


async def test_snapshots_at_the_same_time_get_different_names(
    repo: Checkout, attempt: Checkout
) -> None:
    refs: list[str] = []

    async def one() -> None:
        refs.append(await snapshots.take(repo.path, attempt.path, ONE, "at once"))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(one)
    assert len(set(refs)) == 3


async def test_a_snapshot_survives_garbage_collection_and_the_worktree(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.write("precious.txt", "hours\n")
    ref = await snapshots.take(repo.path, attempt.path, ONE, "before deletion")
    repo.git("worktree", "remove", "--force", attempt.path)
    repo.git("branch", "-D", "work")
    repo.git("gc", "-q", "--prune=now")
    assert (await back(repo, ref)).read("precious.txt") == "hours\n"


async def test_before_the_first_commit_files_are_kept_too(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    fresh = Checkout(tmp_path / "repo")
    fresh.git("init", "-q")
    fresh.write("a.txt", "a\n")
    fresh.write("staged.txt", "s\n")
    fresh.git("add", "staged.txt")
    ref = await snapshots.take(fresh.path, fresh.path, ONE, "unborn")
    tree = await back(fresh, ref)
    assert everything(tree) == {"a.txt": b"a\n", "staged.txt": b"s\n"}
    assert tree.status() == ["?? a.txt"]


@pytest.mark.parametrize("born", [True, False])
async def test_the_files_of_an_inner_repository_are_kept(
    repo: Checkout, attempt: Checkout, born: bool
) -> None:
    inner = Checkout(attempt.path / "deep" / "inner")
    inner.write("src/x.txt", "x\n")
    inner.git("init", "-q")
    if born:
        inner.commit({"y.txt": "y\n"})
    attempt.write("new.txt")
    ref = await snapshots.take(repo.path, attempt.path, ONE, "inner")
    assert inner.git("status", "--porcelain") == ("" if born else "?? src/")
    assert everything(await back(repo, ref)) == everything(attempt)


async def test_filters_apply_to_what_is_stored_and_restored(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    repo.git("config", "filter.shout.smudge", "tr A-Z a-z")
    attempt.commit({".gitattributes": "*.txt filter=shout\n"})
    attempt.write("new.txt", "quiet\n")
    ref = await snapshots.take(repo.path, attempt.path, ONE, "filters")
    assert repo.git("show", f"{ref}:new.txt") == "QUIET"
    assert (await back(repo, ref)).read("new.txt") == "quiet\n"


async def test_hooks_and_signing_have_no_say(repo: Checkout, attempt: Checkout) -> None:
    attempt.hook("pre-commit", "exit 1")
    attempt.git("config", "commit.gpgsign", "true")
    attempt.git("config", "gpg.program", "false")
    attempt.write("new.txt")
    assert await snapshots.take(repo.path, attempt.path, ONE, "any")


async def test_a_snapshot_can_be_forgotten(repo: Checkout, attempt: Checkout) -> None:
    ref = await snapshots.take(repo.path, attempt.path, ONE, "any")
    await snapshot_refs.delete(repo.path, ref)
    assert await snapshot_refs.list_snapshots(repo.path) == []
    with pytest.raises(NotFound):
        await snapshot_refs.delete(repo.path, ref)


@pytest.mark.parametrize("ref", ["refs/heads/main", "main", f"refs/anyon/snapshots/{ONE}/../x", ""])
async def test_only_snapshots_can_be_forgotten_or_restored(
    repo: Checkout, repos: Repositories, tmp_path: Path, ref: str
) -> None:
    with pytest.raises(NotFound):
        await snapshot_refs.delete(repo.path, ref)
    with pytest.raises(NotFound):
        await snapshots.restore(repos, repo.path, ref, tmp_path / "back")
    assert repo.oid("main")


async def test_a_snapshot_needs_a_worktree_an_id_and_a_free_path(
    repo: Checkout, attempt: Checkout, repos: Repositories, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        await snapshots.take(repo.path, tmp_path / "nowhere", ONE, "any")
    with pytest.raises(Invalid):
        await snapshots.take(repo.path, attempt.path, "../x", "any")
    ref = await snapshots.take(repo.path, attempt.path, ONE, "any")
    with pytest.raises(Conflict):
        await snapshots.restore(repos, repo.path, ref, attempt.path)


# ---------------------------------------------------------------- going back


async def test_reset_goes_back_and_leaves_untracked_files(attempt: Checkout) -> None:
    start = attempt.oid()
    attempt.commit({"a.txt": "a\n"})
    attempt.write("base.txt", "edited\n")
    attempt.write("untracked.txt", "u\n")
    await reset(attempt.path, start)
    assert attempt.oid("work") == start
    assert attempt.status() == ["?? untracked.txt"]
    assert not (attempt.path / "a.txt").exists()


@pytest.mark.parametrize("op", ["rebase", "merge", "cherry-pick", "revert"])
@pytest.mark.parametrize("resolved", [True, False])
async def test_reset_ends_what_was_in_progress_and_stands_on_the_branch(
    repo: Checkout, attempt: Checkout, op: str, resolved: bool
) -> None:
    start = attempt.oid()
    tip = attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    repo.commit({"base.txt": "again\n"})
    attempt.git(op, "main~1" if op == "revert" else "main", code=1)
    if resolved:
        attempt.write("base.txt", "resolved\n")
        attempt.git("add", "-A")
    await abort(attempt.path)
    assert attempt.git("symbolic-ref", "HEAD") == "refs/heads/work"
    assert attempt.oid() == tip
    assert attempt.status() == []
    await reset(attempt.path, start)
    assert attempt.oid("work") == start
    assert "in progress" not in attempt.git("status")


async def test_a_sequence_of_picks_is_ended_as_a_whole(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    repo.commit({"more.txt": "more\n"})
    attempt.git("cherry-pick", "main~2..main", code=1)
    await abort(attempt.path)
    assert "in progress" not in attempt.git("status")


async def test_a_damaged_rebase_is_left_for_the_branch(repo: Checkout, attempt: Checkout) -> None:
    tip = attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("rebase", "main", code=1)
    (attempt.index().parent / "rebase-merge" / "orig-head").write_text("garbage\n")
    (attempt.index().parent / "rebase-merge" / "onto").unlink()
    await abort(attempt.path)
    assert attempt.git("symbolic-ref", "HEAD") == "refs/heads/work"
    assert attempt.oid() == tip
    assert attempt.status() == []


@pytest.mark.parametrize("oid", ["0" * 40, "--hard", "nope"])
async def test_a_commit_that_is_not_there_changes_nothing(attempt: Checkout, oid: str) -> None:
    attempt.write("base.txt", "edited\n")
    with pytest.raises(NotFound):
        await reset(attempt.path, oid)
    assert attempt.read("base.txt") == "edited\n"


async def test_what_git_refuses_to_convert_is_kept_byte_by_byte(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({".gitattributes": "*.bin filter=gone\n"})
    repo.git("config", "core.autocrlf", "true")
    repo.git("config", "core.safecrlf", "true")
    repo.git("config", "filter.gone.clean", "no-such-program")
    repo.git("config", "filter.gone.smudge", "no-such-program")
    repo.git("config", "filter.gone.required", "true")
    attempt.write("base.txt", "edited\n")
    attempt.write("new.bin", b"\0\r\n\n")
    attempt.git("add", "--all", code=128)
    ref = await snapshots.take(repo.path, attempt.path, ONE, "any")
    tree = await back(repo, ref)
    assert everything(tree) == everything(attempt)


async def test_changed_copies_of_files_that_git_ignores_are_kept(
    repo: Checkout, attempt: Checkout
) -> None:
    attempt.commit({".gitignore": "*.env\n"})
    names = ["a.env", "b.env", "c.env", "[d].env", "e.env"]
    for name in names:
        repo.write(name, "of the person\n")
        shutil.copy2(repo.path / name, attempt.path / name)
    ignored_copies.remember(attempt.path, repo.path, names)
    attempt.write("a.env", "of the agent\n")
    attempt.write("[d].env", "of the agent\n")
    attempt.write("own.env", "never copied\n")
    (attempt.path / "c.env").unlink()
    (attempt.path / "e.env").unlink()
    (attempt.path / "e.env").symlink_to("a.env")
    tree = await back(repo, await snapshots.take(repo.path, attempt.path, ONE, "any"))
    assert sorted(path.name for path in tree.path.glob("*.env")) == ["[d].env", "a.env", "e.env"]
    assert tree.read("a.env") == tree.read("[d].env") == "of the agent\n"
    assert tree.status() == []


def test_changed_copies_are_kept_up_to_a_limit(repo: Checkout, attempt: Checkout) -> None:
    for name, size in (("large", 9), ("small", 3), ("middle", 6)):
        repo.write(name, "")
        attempt.write(name, "x" * size)
    ignored_copies.remember(attempt.path, repo.path, ["large", "small", "middle", "missing"])
    assert ignored_copies.changed(attempt.path, limit=10) == ["small", "middle"]
    assert ignored_copies.changed(attempt.path) == ["small", "middle", "large"]


@pytest.mark.parametrize("mark", ["assume-unchanged", "skip-worktree"])
async def test_what_git_was_told_not_to_look_at_is_kept(
    repo: Checkout, attempt: Checkout, mark: str
) -> None:
    attempt.git("update-index", f"--{mark}", "base.txt", "other.txt")
    attempt.write("base.txt", "for this machine only\n")
    (attempt.path / "other.txt").unlink()
    index = attempt.index().read_bytes()
    ref = await snapshots.take(repo.path, attempt.path, ONE, "any")
    assert attempt.index().read_bytes() == index
    tree = await back(repo, ref)
    assert tree.read("base.txt") == "for this machine only\n"
    assert tree.read("other.txt") == "other\n"


@pytest.mark.parametrize("change", ["nothing", "file", "commit"])
async def test_what_only_a_submodule_has_is_kept(
    repo: Checkout, tmp_path: Path, change: str
) -> None:
    origin = Checkout(tmp_path / "origin")
    origin.path.mkdir()
    origin.git("init", "-q")
    origin.commit({"inside.txt": "old\n"})
    repo.git("submodule", "--quiet", "add", origin.path, "sub")
    repo.git("commit", "-q", "-m", "sub")
    attempt = repo.worktree("attempt", "work")
    attempt.git("submodule", "--quiet", "update", "--init")
    submodule = Checkout(attempt.path / "sub")
    if change == "file":
        submodule.write("inside.txt", "new\n")
    elif change == "commit":
        submodule.commit({"inside.txt": "new\n"})
        attempt.commit({})
    ref = await snapshots.take(repo.path, attempt.path, ONE, "any")
    tree = await back(repo, ref)
    assert tree.git("ls-files", "--stage", "sub").startswith("160000")
    if change == "nothing":
        assert not (tree.path / "sub" / "inside.txt").exists()
    else:
        assert tree.read("sub/inside.txt") == "new\n"


async def test_a_place_that_cannot_be_made_is_named(repo: Checkout, attempt: Checkout) -> None:
    ref = await snapshots.take(repo.path, attempt.path, ONE, "any")
    with pytest.raises(ToolFailed, match=r"base\.txt cannot be made"):
        await snapshots.restore(Repositories(), repo.path, ref, repo.path / "base.txt" / "back")
