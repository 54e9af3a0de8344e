"""The commits of an attempt: the rest that is committed, what is left out, and comparisons."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from anyond.git.commits import oversize
from anyond.git.program.command import git
from anyond.model.refusals.requests import NotFound
from anyond.operations.branch import commits, left_out
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from tests.support.rows import add_attempt, add_project, add_run, asks

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")


@pytest.fixture
async def about(resources: Resources, repository: Path, home: Path) -> Subject:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@localhost\n")
    return await add_attempt(resources, await add_project(resources, repository))


async def output(about: Subject, *argv: str) -> str:
    return (await git(*argv, cwd=about.worktree)).out.decode().strip()


async def test_what_is_left_over_becomes_one_commit_that_names_its_attempt(about: Subject) -> None:
    (about.worktree / "new").write_text("1")
    await commits.commit_rest(about)
    message = await output(about, "log", "-1", "--format=%B")
    assert message == f"Tea\n\nAnyon-Attempt: {about.attempt.id}"
    tip = await output(about, "rev-parse", "HEAD")
    await commits.commit_rest(about)  # nothing is left
    assert await output(about, "rev-parse", "HEAD") == tip


async def test_a_commit_is_compared_with_where_the_attempt_stands(
    about: Subject, repository: Path
) -> None:
    base = await output(about, "rev-parse", "HEAD")
    (about.worktree / "mine").write_text("1")
    await commits.commit_rest(about)
    await git(*IDENTITY, "commit", "-q", "--allow-empty", "-m", "Theirs", cwd=repository)
    back = await commits.compare(about, base)
    assert (back.ahead_from_head, back.behind_from_head, back.is_linear) == (0, 1, True)
    apart = await commits.compare(about, "main")
    assert (apart.ahead_from_head, apart.behind_from_head, apart.is_linear) == (1, 1, False)
    found = await commits.info(about, "main")
    assert found.subject == "Theirs"


async def test_without_its_worktree_an_attempt_is_its_branch(about: Subject) -> None:
    (about.worktree / "mine").write_text("1")
    await commits.commit_rest(about)
    tip = await output(about, "rev-parse", "HEAD")
    shutil.rmtree(about.worktree)
    assert (await commits.compare(about, "main")).head_oid == tip


@pytest.mark.parametrize("text", ["none", "--all", "HEAD:README", "0" * 40, "", "a\nb"])
async def test_what_is_no_commit_is_not_found(about: Subject, text: str) -> None:
    with pytest.raises(NotFound):
        await commits.info(about, text)


async def test_a_repository_that_is_gone_is_named(about: Subject, repository: Path) -> None:
    shutil.rmtree(about.worktree)
    shutil.rmtree(repository)
    with pytest.raises(NotFound, match=str(repository)):
        await commits.info(about, "main")


async def test_what_a_commit_lacks_is_told_with_the_reason(
    resources: Resources, about: Subject
) -> None:
    row = await add_run(resources, about, asks())
    assert await left_out.find(about, row) == []
    subprocess.run(["git", "init", "-q", about.worktree / "inner"], check=True)
    with (about.worktree / "core").open("wb") as core:
        core.truncate(oversize.LIMIT_BYTES + 1)
    (about.worktree / "tracked").write_text("1")
    await git("add", "tracked", cwd=about.worktree)
    await git(*IDENTITY, "commit", "-q", "-m", "tracked", cwd=about.worktree)
    await git("update-index", "--assume-unchanged", "tracked", cwd=about.worktree)
    (about.worktree / "tracked").write_text("22")
    told = "\n".join(remark.text for remark in await left_out.find(about, row))
    assert "inner is a repository of its own" in told
    assert "core has" in told
    assert "tracked was changed, but is marked assume-unchanged" in told


async def test_no_more_than_ten_of_a_kind_are_named(resources: Resources, about: Subject) -> None:
    row = await add_run(resources, about, asks())
    for number in range(15):
        subprocess.run(["git", "init", "-q", about.worktree / f"inner{number}"], check=True)
    assert len(await left_out.find(about, row)) == 10
