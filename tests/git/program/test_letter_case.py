"""Names that differ only in case are two files where the disk says so, whatever git was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff.status import status
from anyond.git.disk import locations
from anyond.git.merging.merge import merge
from anyond.git.program import letter_case
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.snapshots import take
from tests.support.checkout import Checkout

ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(autouse=True)
def case_counts(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    if (tmp_path / "A").exists():
        pytest.skip("this disk does not tell names apart by case")


async def test_names_that_collide_are_committed_and_merged(
    repo: Checkout, repos: Repositories
) -> None:
    repo.commit({"File.txt": "a\n", "file.txt": "b\n", "FILE.TXT": "c\n"})
    repo.git("config", "core.ignorecase", "true")
    attempt = repo.worktree("attempt", "work")
    locations.remember(attempt.path, repo.path / ".git")
    attempt.write("new.txt", "new\n")
    attempt.write("file.txt", "changed\n")
    seen = await status(attempt.path)
    assert (seen.changed, seen.untracked) == (["file.txt"], ["new.txt"])
    assert await commit_all(attempt.path, "all", "work") == attempt.oid()
    await merge(repos, repo.path, "work", "main", message="Join")
    assert repo.read("new.txt") == "new\n"
    assert [repo.read(name) for name in ("File.txt", "file.txt", "FILE.TXT")] == [
        "a\n",
        "changed\n",
        "c\n",
    ]


async def test_a_new_file_that_differs_in_case_only_is_no_less_there(
    repo: Checkout, attempt: Checkout
) -> None:
    repo.git("config", "core.ignorecase", "true")
    attempt.write("BASE.txt", "mine\n")
    assert (await status(attempt.path)).untracked == ["BASE.txt"]
    ref = await take(repo.path, attempt.path, ID, "any")
    assert repo.git("show", f"{ref}:BASE.txt") == "mine"
    await commit_all(attempt.path, "all", "work")
    assert repo.git("show", "work:BASE.txt") == "mine"
    assert repo.git("show", "work:base.txt") == "base"


def test_nothing_is_said_of_case_where_there_is_no_checkout(tmp_path: Path) -> None:
    assert letter_case.options(None) == ()
    gone = locations.Location(tmp_path, tmp_path, tmp_path / "gone")
    assert letter_case.options(gone) == ()
