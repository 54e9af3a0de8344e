"""Filters that write something else each time: what nobody edited is known all the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff.diff import snapshot
from anyond.git.diff.status import status
from anyond.git.merging.merge import merge
from anyond.git.merging.rebase import plan, rebase
from anyond.git.repo import branches
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.snapshots import take
from anyond.model.errors import Conflict
from tests.support.checkout import Checkout

ID = "11111111-1111-4111-8111-111111111111"
NOISE = "head -c 12 /dev/urandom | od -An -tx1 | tr -d ' '"
COUNTED = "echo >> {count}; printf '%08d\\n' $(wc -l < {count})"


@pytest.fixture(params=["both ways", "smudge only", "a file each time"])
def unsteady(request: pytest.FixtureRequest, repo: Checkout, tmp_path: Path) -> Checkout:
    """A repository with files whose filter never writes the same twice."""
    noise = NOISE if request.param != "a file each time" else COUNTED.format(count=tmp_path / "n")
    script = tmp_path / "filter"
    script.write_text(f"#!/bin/sh\ncat\n{noise}\n")
    script.chmod(0o755)
    repo.git("config", "filter.noise.smudge", os.fspath(script))
    # Git asks this one whether a file has changed.
    clean = "cat" if request.param == "smudge only" else os.fspath(script)
    repo.git("config", "filter.noise.clean", clean)
    repo.commit({".gitattributes": "*.cs filter=noise\n"})
    repo.commit({"a.cs": "a\n", "b.cs": "b\n", "sub/c.cs": "c\n"}, "noisy")
    return repo


def look_closely(checkout: Checkout) -> None:
    """The index as old as the files, so that git does not trust it."""
    newest = max(file.stat().st_mtime_ns for file in checkout.path.rglob("*.cs"))
    os.utime(checkout.index(), ns=(newest, newest))


async def test_what_nobody_edited_is_neither_committed_nor_a_change(unsteady: Checkout) -> None:
    attempt = unsteady.worktree("attempt", "work")
    look_closely(attempt)
    seen = attempt.index_bytes()
    assert (await status(attempt.path)).clean
    assert await snapshot(attempt.path, attempt.oid()) == []
    assert attempt.index_bytes() == seen
    assert await commit_all(attempt.path, "nothing") is None
    attempt.write("n.txt")
    assert await commit_all(attempt.path, "one file")
    look_closely(attempt)
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"
    assert [entry.path for entry in await snapshot(attempt.path, attempt.oid("main"))] == ["n.txt"]
    assert (await status(attempt.path)).clean
    ref = await take(unsteady.path, attempt.path, ID, "test")
    assert attempt.git("diff", "--name-only", "HEAD", ref) == ""


@pytest.mark.parametrize("how", ["split", "version 4", "sizes forgotten"])
async def test_each_form_of_an_index_is_understood(unsteady: Checkout, how: str) -> None:
    attempt = unsteady.worktree("attempt", "work")
    if how == "split":
        attempt.git("update-index", "--split-index")
    elif how == "version 4":
        attempt.git("update-index", "--index-version", "4")
    else:
        look_closely(attempt)
        attempt.write("base.txt", "new\n")
        attempt.git("add", "base.txt")
        attempt.git("reset", "-q", "--hard")
    look_closely(attempt)
    assert (await status(attempt.path)).clean
    attempt.write("n.txt")
    assert await commit_all(attempt.path, "one file")
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"


async def test_what_was_edited_is_committed(unsteady: Checkout) -> None:
    attempt = unsteady.worktree("attempt", "work")
    look_closely(attempt)
    size = (attempt.path / "a.cs").stat().st_size
    attempt.write("a.cs", "x" * size)
    assert (await status(attempt.path)).changed == ["a.cs"]
    assert await commit_all(attempt.path, "edited")
    assert attempt.git("diff", "--name-only", "main", "work") == "a.cs"
    look_closely(attempt)
    assert (await status(attempt.path)).clean
    assert await commit_all(attempt.path, "nothing") is None


async def test_it_is_in_the_way_of_no_merge_and_an_edit_is(
    unsteady: Checkout, repos: Repositories
) -> None:
    attempt = unsteady.worktree("attempt", "work")
    attempt.write("a.cs", "by the agent\n")
    attempt.git("rm", "-q", "--cached", "sub/c.cs")
    (attempt.path / "sub" / "c.cs").unlink()
    assert await commit_all(attempt.path, "work")
    unsteady.git("reset", "-q", "--hard")
    look_closely(unsteady)
    after = (await merge(repos, unsteady.path, "work", "main", message="Join")).after
    assert unsteady.oid() == after
    assert unsteady.read("a.cs").startswith("by the agent\n")
    look_closely(unsteady)
    assert (await status(unsteady.path)).clean
    attempt.write("a.cs", "again\n")
    assert await commit_all(attempt.path, "more")
    unsteady.write("a.cs", "mine\n")
    with pytest.raises(Conflict, match=r"a\.cs"):
        await merge(repos, unsteady.path, "work", "main", message="Join")
    assert unsteady.read("a.cs") == "mine\n"


async def test_it_is_in_the_way_of_no_rebase(unsteady: Checkout, repos: Repositories) -> None:
    attempt = unsteady.worktree("attempt", "work")
    attempt.write("n.txt")
    assert await commit_all(attempt.path, "one file")
    unsteady.commit({"m.txt": "m\n", "b.cs": "theirs\n"}, "theirs")
    look_closely(attempt)
    main = await branches.find(unsteady.path, "main")
    assert main is not None
    await rebase(repos, attempt.path, await plan(attempt.path, "work", main, main))
    assert attempt.git("diff", "--name-only", "main", "work") == "n.txt"
    assert (await status(attempt.path)).clean
