"""One file goes, and nothing else, and never one that is not in the worktree."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.commits.deletion import contained, delete_file
from anyond.git.program.command import GitFailed
from anyond.git.snapshots import snapshots
from anyond.model.errors import Conflict
from anyond.model.refusals.requests import Invalid, NotFound
from tests.support.checkout import Checkout

ONE = "00000000-0000-4000-8000-000000000001"


async def delete(tree: Checkout, path: str) -> str | None:
    path = contained(tree.path, path)
    await snapshots.take(tree.path, tree.path, ONE, "delete-file")
    return await delete_file(tree.path, path, message=f"Delete {path}")


async def test_a_tracked_file_goes_with_a_commit_of_nothing_else(attempt: Checkout) -> None:
    attempt.write("staged.txt", "staged\n")
    attempt.git("add", "-A")
    attempt.write("other.txt", "edited\n")
    attempt.write("base.txt", "edited, too\n")
    before = attempt.oid()
    made = await delete(attempt, "base.txt")
    assert made == attempt.oid("work") != before
    assert attempt.git("diff", "--name-status", before, "HEAD") == "D\tbase.txt"
    assert attempt.status() == [" M other.txt", "A  staged.txt"]
    assert not (attempt.path / "base.txt").exists()


@pytest.mark.parametrize("name", ["*.txt", ":(top)x", "sü[ß]\tx", "-f", "a b", "dir/in"])
async def test_strange_names_are_only_names(attempt: Checkout, name: str) -> None:
    attempt.commit({name: "x\n"})
    await delete(attempt, name)
    assert attempt.git("-c", "core.quotePath=false", "ls-files").splitlines() == [
        "base.txt",
        "other.txt",
    ]
    assert attempt.status() == []


async def test_a_link_goes_and_what_it_leads_to_stays(attempt: Checkout, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("theirs\n")
    (attempt.path / "link").symlink_to(outside)
    attempt.commit({})
    assert await delete(attempt, "link")
    assert not (attempt.path / "link").is_symlink()
    assert outside.read_text() == "theirs\n"


async def test_a_file_that_is_gone_already_is_only_committed(attempt: Checkout) -> None:
    (attempt.path / "base.txt").unlink()
    assert await delete(attempt, "base.txt")
    assert attempt.status() == []


@pytest.mark.parametrize("staged", [True, False])
async def test_a_file_that_was_never_committed_goes_without_a_commit(
    attempt: Checkout, staged: bool
) -> None:
    attempt.write("new.txt", "new\n")
    if staged:
        attempt.git("add", "-A")
    before = attempt.oid()
    assert await delete(attempt, "new.txt") is None
    assert attempt.oid() == before
    assert attempt.status() == []
    assert attempt.git("show", f"refs/anyon/snapshots/{ONE}/1:new.txt") == "new"


async def test_what_is_no_file_changes_nothing(attempt: Checkout) -> None:
    attempt.commit({"dir/a.txt": "a\n", ".gitignore": "*.log\n"})
    attempt.write("b.log", "b\n")
    before = attempt.oid()
    with pytest.raises(NotFound):
        await delete(attempt, "nothing.txt")
    with pytest.raises(Invalid):
        await delete(attempt, "dir/")
    with pytest.raises(Conflict) as refusal:
        await delete(attempt, "b.log")
    assert refusal.value.type == "ignored_file"
    assert attempt.read("b.log") == "b\n"
    assert attempt.oid() == before
    assert attempt.status() == []


@pytest.mark.parametrize("name", ["base.txt", "other.txt", "new.txt"])
async def test_while_files_are_in_conflict_none_is_deleted(
    repo: Checkout, attempt: Checkout, name: str
) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("merge", "--squash", "main", code=1)
    attempt.write("new.txt", "new\n")
    before = attempt.oid(), attempt.status(), attempt.read(name)
    with pytest.raises(Conflict) as refusal:
        await delete(attempt, name)
    assert refusal.value.data is not None
    assert (refusal.value.type, refusal.value.data["files"]) == ("dirty", ["base.txt"])
    assert (attempt.oid(), attempt.status(), attempt.read(name)) == before


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../x", "a/../../x", "/etc/passwd", ".git", ".GIT/config", "a/.git/x"]
)
async def test_paths_that_lead_elsewhere_are_refused(attempt: Checkout, path: str) -> None:
    with pytest.raises(Invalid):
        contained(attempt.path, path)


async def test_a_directory_that_leads_elsewhere_is_refused(
    attempt: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("theirs\n")
    (attempt.path / "way").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid):
        contained(attempt.path, "way/x")
    assert contained(attempt.path, "way") == "way"


async def test_a_hook_that_refuses_brings_the_file_back(attempt: Checkout) -> None:
    attempt.write("other.txt", "staged\n")
    attempt.git("add", "-A")
    attempt.write("base.txt", "edited\n")
    (attempt.path / "base.txt").chmod(0o755)
    before = attempt.oid(), attempt.status()
    attempt.hook("pre-commit", "exit 1")
    with pytest.raises(GitFailed):
        await delete(attempt, "base.txt")
    assert (attempt.oid(), attempt.status()) == before
    assert attempt.read("base.txt") == "edited\n"


async def test_without_an_identity_the_commit_is_anyons(attempt: Checkout, home: Path) -> None:
    (home / ".gitconfig").write_text("")
    await delete(attempt, "base.txt")
    assert attempt.git("log", "-1", "--format=%an %cn") == "Anyon Anyon"


async def test_an_unfinished_merge_refuses_it(repo: Checkout, attempt: Checkout) -> None:
    attempt.commit({"base.txt": "mine\n"})
    repo.commit({"base.txt": "theirs\n"})
    attempt.git("merge", "main", code=1)
    with pytest.raises(Conflict) as refusal:
        await delete(attempt, "other.txt")
    assert refusal.value.type == "merge_in_progress"
    assert (attempt.path / "other.txt").exists()
