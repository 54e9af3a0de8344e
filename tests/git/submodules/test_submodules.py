from __future__ import annotations

from pathlib import Path

from anyond.git.commits.commit import commit_all
from anyond.git.submodules.submodules import nested_repositories
from tests.support.checkout import Checkout


def repository(path: Path) -> Checkout:
    path.mkdir(parents=True)
    made = Checkout(path)
    made.git("init", "-q")
    return made


async def test_what_is_no_submodule_is_a_stranger(attempt: Checkout, tmp_path: Path) -> None:
    start = attempt.oid()
    library = repository(tmp_path / "library")
    library.commit({"lib.txt": "lib\n"})
    attempt.git("submodule", "--quiet", "add", library.path, "declared")
    repository(attempt.path / "with commit").commit({"in.txt": "in\n"})
    repository(attempt.path / "deep" / "ünborn").write("in.txt", "in\n")
    attempt.git("add", "--ignore-errors", "-A", code=1)
    attempt.git("commit", "-qm", "All of it")
    assert await nested_repositories(attempt.path, start) == ["deep/ünborn", "with commit"]
    assert await nested_repositories(attempt.path, None) == ["deep/ünborn"]
    assert await nested_repositories(attempt.path, attempt.oid()) == ["deep/ünborn"]


async def test_another_checkout_inside_of_one_is_neither_committed_nor_a_stranger(
    attempt: Checkout,
) -> None:
    start = attempt.oid()
    attempt.git("worktree", "add", "-q", "-b", "helper", "[trees]/helper *")
    helper = Checkout(attempt.path / "[trees]" / "helper *")
    helper.commit({"helped.txt": "h\n"})
    attempt.write("[trees]/own.txt")
    assert await commit_all(attempt.path, "message")
    tracked = attempt.git("ls-files").splitlines()
    assert [path for path in tracked if path.startswith("[trees]")] == ["[trees]/own.txt"]
    assert await nested_repositories(attempt.path, start) == []
    assert await commit_all(attempt.path, "message") is None
    assert helper.read("helped.txt") == "h\n"
