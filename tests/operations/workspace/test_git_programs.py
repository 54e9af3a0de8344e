"""What is withheld, and accepted, belongs to the repository and all of its projects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.disk import locations
from anyond.git.merging import merge
from anyond.git.program import guard
from anyond.git.program.command import git
from anyond.model.errors import Conflict
from anyond.model.http.bodies import AcceptGitPrograms, NewProject
from anyond.model.rows import (
    ScriptContext,
    ScriptRequest,
)
from anyond.operations import projects as project_operations
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import git_programs, program_acceptance
from anyond.store.board import attempts
from tests.support.git.programs import (
    another,
    arm,
    begin,
    canary,
    config,
    end,
    restarted,
    work,
)


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    """An attempt of a project that a person has added, with its worktree."""
    (repository / "file.txt").write_text("text\n")
    await commit_all(repository, "file")
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    project = await project_operations.create(resources, new)
    return await another(resources, project.id, "anyon/x")


async def test_a_change_is_withheld_from_all_attempts_and_survives_a_restart(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    other = await another(resources, subject.project.id, "anyon/y")
    mine, theirs = await begin(resources, subject), await begin(resources, other)
    arm("hook", repository, subject, program)
    assert len(await end(resources, subject, mine)) == 1
    place = locations.locate(repository)
    assert place is not None
    assert place.common_dir is not None
    guard.install(place.common_dir, guard.Guard(repository, {}))

    await git_programs.load(resources)
    held = guard.of(place.common_dir)
    assert held is not None
    assert held.runs == {theirs.id}
    assert len(await end(resources, other, theirs)) == 1
    await work(other)
    (other.worktree / "new.txt").write_text("new\n")
    await commit_all(other.worktree, "new")
    await merge.merge(resources.repositories, repository, "anyon/y", "main", message="landed")
    row = await begin(resources, other)
    assert len(await end(resources, other, row)) == 1
    assert not ran()


async def test_what_was_put_back_is_not_withheld_any_more(
    resources: Resources, repository: Path, subject: Subject
) -> None:
    row = await begin(resources, subject)
    config(repository, "core.sshCommand", "evil")
    assert len(await end(resources, subject, row)) == 1
    subprocess.run(["git", "config", "--unset", "core.sshCommand"], cwd=repository, check=True)
    assert await end(resources, subject, await begin(resources, subject)) == []
    assert not (await program_acceptance.state(resources, subject.project.id)).withheld


async def test_who_accepts_has_to_have_seen_it(
    resources: Resources, repository: Path, subject: Subject
) -> None:
    row = await begin(resources, subject)
    config(repository, "core.sshCommand", "evil")
    await end(resources, subject, row)
    state = await program_acceptance.state(resources, subject.project.id)
    config(repository, "core.sshCommand", "worse")
    with pytest.raises(Conflict) as refusal:
        await program_acceptance.accept(
            resources, subject.project.id, AcceptGitPrograms(digest=state.digest)
        )
    assert refusal.value.type == "git_programs_changed"
    assert (await program_acceptance.state(resources, subject.project.id)).withheld


async def test_a_project_can_be_trusted_for_good(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    await begin(resources, subject)
    state = await program_acceptance.accept(
        resources, subject.project.id, AcceptGitPrograms(always=True)
    )
    assert state.always
    row = await begin(
        resources, subject, ScriptRequest(script="dev", context=ScriptContext.DEV_SERVER)
    )
    arm("hook", repository, subject, program)
    assert await end(resources, subject, row) == []
    await work(subject)
    assert ran()


async def test_projects_of_one_repository_share_what_is_accepted(
    resources: Resources, repository: Path, subject: Subject
) -> None:
    (repository / "part").mkdir()
    (repository / "part" / "file.txt").write_text("text\n")
    await commit_all(repository, "part")
    new = NewProject(name="Q", git_repo_path=str(repository / "part"), use_existing_repo=True)
    other = await project_operations.create(resources, new)
    beside = await another(resources, other.id, "anyon/y")
    await end(resources, beside, await begin(resources, beside))
    row = await begin(resources, subject)
    config(repository, "core.sshCommand", "evil")
    assert len(await end(resources, subject, row)) == 1
    waiting = await program_acceptance.state(resources, other.id)
    assert waiting.withheld
    assert waiting == await program_acceptance.state(resources, subject.project.id)
    await program_acceptance.accept(resources, other.id, AcceptGitPrograms(digest=waiting.digest))
    seen = await resources.store.read(lambda r: attempts.get(r, subject.attempt.id))
    assert not seen.git_programs_withheld
    # The next daemon knows of both what either of them knew.
    for _ in range(2):
        for project_id in (subject.project.id, other.id):
            found = await program_acceptance.state(resources, project_id)
            assert (found.withheld, found.changes) == (False, [])
        guard._guards.clear()
        await git_programs.load(resources)
    held = next(iter(guard._guards.values()))
    assert {str(subject.worktree), str(beside.worktree)} <= held.worktrees.keys()


@pytest.mark.parametrize("where", ["a directory", "another checkout"])
async def test_a_first_run_in_another_project_of_the_repository_accepts_nothing(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    place = repository / "part"
    if where == "a directory":
        place.mkdir()
        (place / "file.txt").write_text("text\n")
        await commit_all(repository, "part")
    else:
        place = tmp_path / "checkout"
        await git("worktree", "add", "--quiet", "-b", "side", place, cwd=repository)
    new = NewProject(name="Q", git_repo_path=str(place), use_existing_repo=True)
    other = await project_operations.create(resources, new)
    beside = await another(resources, other.id, "anyon/y")
    row = await begin(resources, subject)
    arm("hook", repository, subject, program)
    assert len(await end(resources, subject, row)) == 1
    first = await begin(resources, beside)
    await work(beside)
    await end(resources, beside, first)
    await restarted(resources, repository)
    for one in (subject, beside):
        assert (await program_acceptance.state(resources, one.project.id)).withheld
        await work(one)
    assert not ran()
