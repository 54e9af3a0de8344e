from __future__ import annotations

from pathlib import Path

from anyond.git.submodules import strangers
from tests.git.driver import Checkout


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
    assert await strangers(attempt.path, start) == ["deep/ünborn", "with commit"]
    assert await strangers(attempt.path, None) == ["deep/ünborn"]
    assert await strangers(attempt.path, attempt.oid()) == ["deep/ünborn"]
