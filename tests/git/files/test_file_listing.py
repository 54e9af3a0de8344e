"""Which files there are and how often they changed; a change is noticed when one asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from anyond.git.files import file_listing
from anyond.git.repo import history
from anyond.model.errors import AnyondError
from tests.support.checkout import Checkout


def calm(path: Path) -> None:
    """Let all directories be as old as they are in a repository that nobody has just changed."""
    for directory, _, _ in os.walk(path):
        if ".git" not in Path(directory).relative_to(path).parts:
            os.utime(directory, (1, 1))


async def test_new_files_count_and_ignored_ones_only_if_wanted(repo: Checkout) -> None:
    repo.write(".gitignore", "*.log\nnode_modules/\n/secret/\n")
    repo.write("src/new ü.py")
    repo.write("src/run.log")
    repo.write("node_modules/left-pad/index.js")
    repo.write("secret/.env")
    listed = await file_listing.take(repo.path, ignored=False)
    assert sorted(listed.files) == [".gitignore", "base.txt", "other.txt", "src/new ü.py"]
    assert listed.head == repo.oid()
    everything = await file_listing.take(repo.path, ignored=True)
    assert set(everything.files) - set(listed.files) == {
        *("src/run.log", "node_modules/left-pad/index.js", "secret/.env"),
    }
    assert set(everything.directories) == {"node_modules", "node_modules/left-pad", "secret"}


async def test_what_is_ignored_has_a_bound_and_what_is_near_the_top_comes_first(
    repo: Checkout,
) -> None:
    repo.write(".gitignore", "/big/\n/small/\n")
    for number in range(60):
        repo.write(f"big/{number:02d}/deep")
    repo.write("small/one")
    found = await file_listing.take(repo.path, ignored=True, most_ignored=50)
    assert "small/one" in found.files
    assert len(found.files) + len(found.directories) < 120


async def test_a_nested_repository_and_a_link_are_not_entered(repo: Checkout) -> None:
    repo.write(".gitignore", "/own/\n")
    repo.write("own/.git/config")
    repo.write("own/file")
    (repo.path / "own/loop").symlink_to(repo.path)
    found = await file_listing.take(repo.path, ignored=True)
    assert {path for path in found.files if path.startswith("own/")} == {"own/file", "own/loop"}


async def test_where_no_checkout_is_there_is_nothing_to_list(tmp_path: Path) -> None:
    with pytest.raises(AnyondError):
        await file_listing.take(tmp_path, ignored=False)


CHANGES: dict[str, Callable[[Checkout], object]] = {
    "a new file": lambda repo: repo.write("new.txt"),
    "a new file in a directory": lambda repo: repo.write("src/deep/new.txt"),
    "a file that is gone": lambda repo: (repo.path / "src/deep/a.txt").unlink(),
    "a commit": lambda repo: repo.git("commit", "-q", "--allow-empty", "-m", "x"),
    "another branch": lambda repo: repo.git("checkout", "-q", "-b", "other"),
    "a changed index": lambda repo: repo.git("rm", "-q", "--cached", "base.txt"),
    "packed refs": lambda repo: repo.git("pack-refs", "--all"),
    "another .gitignore": lambda repo: repo.write("src/.gitignore", "*.tmp\n*.txt\n"),
    "an exclude": lambda repo: repo.write(".git/info/exclude", "*.txt\n"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_change_is_noticed(repo: Checkout, change: str) -> None:
    repo.commit({"src/deep/a.txt": "a\n", "src/.gitignore": "*.tmp\n"})
    calm(repo.path)
    watch = (await file_listing.take(repo.path, ignored=False)).watch
    assert watch.unchanged()
    assert watch.unchanged()
    CHANGES[change](repo)
    assert not watch.unchanged()


async def test_what_changed_while_it_was_listed_is_listed_again(repo: Checkout) -> None:
    repo.write("just-now.txt")
    assert not (await file_listing.take(repo.path, ignored=False)).watch.unchanged()


async def test_a_worktree_is_watched_as_well(attempt: Checkout) -> None:
    calm(attempt.path)
    watch = (await file_listing.take(attempt.path, ignored=False)).watch
    assert watch.unchanged()
    attempt.git("commit", "-q", "--allow-empty", "-m", "x")
    assert not watch.unchanged()


async def test_commits_are_counted_and_the_latest_time_is_kept(repo: Checkout) -> None:
    for number in range(3):
        env = {"GIT_COMMITTER_DATE": f"{1_900_000_000 + number} +0000"}
        repo.write("hot ü.py", f"{number}\n")
        if number == 0:
            repo.write("cold.py")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", "line one\n\nline\x01two", code=0, **env)
    first = repo.oid("HEAD~3")
    counts = await history.counts(repo.path, "HEAD")
    assert counts["hot ü.py"] == (3, 1_900_000_002)
    assert counts["cold.py"] == (1, 1_900_000_000)
    assert counts["base.txt"][0] == 1
    assert "base.txt" not in await history.counts(repo.path, f"{first}..HEAD")
    assert (await history.counts(repo.path, "HEAD", most=2))["hot ü.py"][0] == 2
    assert await history.is_ancestor(repo.path, first, "HEAD")
    assert not await history.is_ancestor(repo.path, "HEAD", first)


async def test_names_and_commits_may_be_as_odd_as_git_lets_them(repo: Checkout) -> None:
    names = ("\x01", "odd\x01name", "\nbelow", "a\n/1", "  ")
    repo.commit(dict.fromkeys(names, "x\n"))
    lines = f"tree {repo.oid('HEAD^{tree}')}\nparent {repo.oid()}\nauthor x\ncommitter x\n\nx\n"
    bare = repo.path.parent / "timeless"
    bare.write_text(lines)
    timeless = repo.git("hash-object", "-t", "commit", "--literally", "-w", bare)
    counts = await history.counts(repo.path, timeless)
    assert {name: counts[name][0] for name in names} == dict.fromkeys(names, 1)
    assert counts.keys() == {*names, "base.txt", "other.txt"}


async def test_merges_count_for_nothing_and_renames_for_both_names(repo: Checkout) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit({"side.txt": "s\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"main.txt": "m\n"})
    repo.git("merge", "-q", "--no-edit", "side")
    repo.git("mv", "side.txt", "moved.txt")
    repo.git("commit", "-q", "-m", "move")
    counts = await history.counts(repo.path, "HEAD")
    assert (counts["side.txt"][0], counts["moved.txt"][0], counts["main.txt"][0]) == (2, 1, 1)
