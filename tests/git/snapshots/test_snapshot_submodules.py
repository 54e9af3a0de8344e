"""A worktree that is made again has its submodules again, each where it stood."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anyond.git.repo.repository import Repositories
from anyond.git.snapshots import snapshot_refs, snapshots
from anyond.git.snapshots.snapshot_submodules import bring_back
from anyond.git.submodules.submodule_checkouts import bring
from anyond.model.configuration.settings import Submodules
from tests.support.checkout import Checkout
from tests.support.git.submodule_project import ID, begun, project, unplug

__all__ = ["project"]


def states(attempt: Checkout) -> list[tuple[str, str, list[str]]]:
    """Commit, files and changes of the worktree and of each submodule."""
    found = []
    for place in ("", "vendor/lib", "vendor/lib/deep/leaf"):
        inner = Checkout(attempt.path / place)
        names = sorted(
            str(file.relative_to(inner.path)) + ": " + file.read_text()
            for file in inner.path.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(inner.path).parts
            if file.name not in {".git", ".gitmodules"}
        )
        found.append((inner.oid(), "\n".join(names), inner.status()))
    return found


@pytest.mark.parametrize("what", ["nothing", "a commit", "edits", "both", "edits deep inside"])
async def test_submodules_of_a_snapshot_come_back(
    project: Checkout, tmp_path: Path, what: str
) -> None:
    unplug(project)
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    lib = Checkout(attempt.path / "vendor/lib")
    if what in {"a commit", "both"}:
        lib.commit({"new.txt": "new\n"})
    if what in {"edits", "both"}:
        lib.write("lib.txt", "edited\n")
        lib.write("untracked.txt")
    if what == "edits deep inside":
        Checkout(lib.path / "deep/leaf").write("leaf.txt", "edited\n")
    before = states(attempt)
    ref = await snapshots.take(project.path, attempt.path, ID, "test")
    project.git("worktree", "remove", "--force", "--force", attempt.path)
    (saved,) = await snapshot_refs.list_snapshots(project.path)
    again = Checkout(tmp_path / "again")
    await snapshots.restore(Repositories(), project.path, ref, again.path)
    assert await bring_back(project.path, again.path, saved) == []
    assert states(again) == before


async def test_a_submodule_whose_files_are_gone_comes_back_as_it_was(project: Checkout) -> None:
    attempt = begun(project)
    await bring(project.path, attempt.path, Submodules.AS_CHECKOUT)
    lib = Checkout(attempt.path / "vendor/lib")
    lib.git("switch", "-q", "-c", "mine")
    lib.commit({"new.txt": "new\n"})
    lib.write("staged.txt")
    lib.git("add", "staged.txt")
    before = states(attempt)
    shutil.rmtree(lib.path)
    lib.path.mkdir()
    assert await bring(project.path, attempt.path, Submodules.AS_CHECKOUT) == []
    assert states(attempt) == before
    assert lib.git("symbolic-ref", "HEAD") == "refs/heads/mine"
