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
async def attempt_subject(resources: Resources, repository: Path, home: Path) -> Subject:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@localhost\n")
    return await add_attempt(resources, await add_project(resources, repository))


async def output(attempt_subject: Subject, *argv: str) -> str:
    return (await git(*argv, cwd=attempt_subject.worktree)).out.decode().strip()


async def test_what_is_left_over_becomes_one_commit_that_names_its_attempt(
    attempt_subject: Subject,
) -> None:
    (attempt_subject.worktree / "new").write_text("1")
    await commits.commit_rest(attempt_subject)
    message = await output(attempt_subject, "log", "-1", "--format=%B")
    assert message == f"Tea\n\nAnyon-Attempt: {attempt_subject.attempt.id}"
    tip = await output(attempt_subject, "rev-parse", "HEAD")
    await commits.commit_rest(attempt_subject)  # nothing is left
    assert await output(attempt_subject, "rev-parse", "HEAD") == tip


async def test_a_commit_is_compared_with_where_the_attempt_stands(
    attempt_subject: Subject, repository: Path
) -> None:
    base = await output(attempt_subject, "rev-parse", "HEAD")
    (attempt_subject.worktree / "mine").write_text("1")
    await commits.commit_rest(attempt_subject)
    await git(*IDENTITY, "commit", "-q", "--allow-empty", "-m", "Theirs", cwd=repository)
    back = await commits.compare(attempt_subject, base)
    assert (back.ahead_from_head, back.behind_from_head, back.is_linear) == (0, 1, True)
    apart = await commits.compare(attempt_subject, "main")
    assert (apart.ahead_from_head, apart.behind_from_head, apart.is_linear) == (1, 1, False)
    found = await commits.info(attempt_subject, "main")
    assert found.subject == "Theirs"


async def test_without_its_worktree_an_attempt_is_its_branch(attempt_subject: Subject) -> None:
    (attempt_subject.worktree / "mine").write_text("1")
    await commits.commit_rest(attempt_subject)
    tip = await output(attempt_subject, "rev-parse", "HEAD")
    shutil.rmtree(attempt_subject.worktree)
    assert (await commits.compare(attempt_subject, "main")).head_oid == tip


@pytest.mark.parametrize("text", ["none", "--all", "HEAD:README", "0" * 40, "", "a\nb"])
async def test_what_is_no_commit_is_not_found(attempt_subject: Subject, text: str) -> None:
    with pytest.raises(NotFound):
        await commits.info(attempt_subject, text)


async def test_a_repository_that_is_gone_is_named(
    attempt_subject: Subject, repository: Path
) -> None:
    shutil.rmtree(attempt_subject.worktree)
    shutil.rmtree(repository)
    with pytest.raises(NotFound, match=str(repository)):
        await commits.info(attempt_subject, "main")


async def test_what_a_commit_lacks_is_told_with_the_reason(
    resources: Resources, attempt_subject: Subject
) -> None:
    row = await add_run(resources, attempt_subject, asks())
    assert await left_out.find(attempt_subject, row) == []
    subprocess.run(["git", "init", "-q", attempt_subject.worktree / "inner"], check=True)
    with (attempt_subject.worktree / "core").open("wb") as core:
        core.truncate(oversize.LIMIT_BYTES + 1)
    (attempt_subject.worktree / "tracked").write_text("1")
    await git("add", "tracked", cwd=attempt_subject.worktree)
    await git(*IDENTITY, "commit", "-q", "-m", "tracked", cwd=attempt_subject.worktree)
    await git("update-index", "--assume-unchanged", "tracked", cwd=attempt_subject.worktree)
    (attempt_subject.worktree / "tracked").write_text("22")
    reported = "\n".join(remark.text for remark in await left_out.find(attempt_subject, row))
    assert "inner is a repository of its own" in reported
    assert "core has" in reported
    assert "tracked was changed, but is marked assume-unchanged" in reported


async def test_no_more_than_ten_of_a_kind_are_named(
    resources: Resources, attempt_subject: Subject
) -> None:
    row = await add_run(resources, attempt_subject, asks())
    for number in range(15):
        subprocess.run(
            ["git", "init", "-q", attempt_subject.worktree / f"inner{number}"], check=True
        )
    assert len(await left_out.find(attempt_subject, row)) == 10
