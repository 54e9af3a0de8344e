"""What nobody has accepted of the programs of a repository outlives the project it was found in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.disk import locations
from anyond.git.program import guard
from anyond.model.http.bodies import AcceptGitPrograms, NewProject, ProjectPatch
from anyond.operations import projects as project_operations
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import git_programs, program_acceptance, removal
from anyond.store.runs import processes
from anyond.store.upkeep import cleanups
from tests.support.git.programs import (
    another,
    arm,
    begin,
    canary,
    config,
    end,
    work,
)


async def added(resources: Resources, repository: Path) -> str:
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    return (await project_operations.create(resources, new)).id


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    (repository / "file.txt").write_text("text\n")
    await commit_all(repository, "file")
    return await another(resources, await added(resources, repository), "anyon/x")


async def restarted(resources: Resources) -> None:
    """Only what is written down is known any more."""
    guard._guards.clear()
    locations._known.clear()
    await git_programs.load(resources)


async def changed_and_deleted(
    resources: Resources, repository: Path, subject: Subject, where: str, program: Path
) -> None:
    row = await begin(resources, subject)
    arm(where, repository, subject, program)
    assert len(await end(resources, subject, row)) == 1
    await removal.delete_project(resources, subject.project.id)


@pytest.mark.parametrize("restart", [False, True], ids=["at once", "after a restart"])
@pytest.mark.parametrize("where", ["hook", "clean", "gpg"])
async def test_a_project_that_is_added_again_runs_nothing_that_was_not_accepted(
    resources: Resources,
    repository: Path,
    subject: Subject,
    tmp_path: Path,
    where: str,
    restart: bool,
) -> None:
    program, ran = canary(tmp_path)
    await changed_and_deleted(resources, repository, subject, where, program)
    if restart:
        await restarted(resources)
    await removal.clean_up(resources)
    (repository / ".gitattributes").write_text("*.txt filter=evil\n")
    again = await another(resources, await added(resources, repository), "anyon/y")
    (again.worktree / ".gitattributes").write_text("*.txt filter=evil\n")
    for _ in range(2):
        state = await program_acceptance.state(resources, again.project.id)
        assert state.withheld
        assert state.changes
        row = await begin(resources, again)
        await work(again)
        await end(resources, again, row)
        await restarted(resources)
    assert not ran()
    accepted = AcceptGitPrograms(digest=state.digest)
    assert not (await program_acceptance.accept(resources, again.project.id, accepted)).withheld
    await removal.delete_project(resources, again.project.id)
    await restarted(resources)
    third = await added(resources, repository)
    assert not (await program_acceptance.state(resources, third)).withheld


async def test_a_repository_that_was_moved_meanwhile_is_known(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, _ = canary(tmp_path)
    await changed_and_deleted(resources, repository, subject, "hook", program)
    await restarted(resources)
    moved = repository.rename(tmp_path / "moved")
    state = await program_acceptance.state(resources, await added(resources, moved))
    assert state.withheld
    assert [change.name for change in state.changes] == ["hook hooks/pre-commit"]


async def test_a_project_that_goes_to_another_repository_and_back_accepts_nothing(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, _ = canary(tmp_path)
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", repository, other], check=True)
    row = await begin(resources, subject)
    arm("hook", repository, subject, program)
    await end(resources, subject, row)
    for place, withheld in ((other, False), (repository, True)):
        patch = ProjectPatch(git_repo_path=str(place))
        await project_operations.update(resources, subject.project.id, patch)
        state = await program_acceptance.state(resources, subject.project.id)
        assert state.withheld == withheld


async def test_what_was_taken_out_again_is_not_withheld(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, _ = canary(tmp_path)
    await changed_and_deleted(resources, repository, subject, "hook", program)
    (repository / ".git" / "hooks" / "pre-commit").unlink()
    again = await another(resources, await added(resources, repository), "anyon/y")
    assert await end(resources, again, await begin(resources, again)) == []
    assert not (await program_acceptance.state(resources, again.project.id)).withheld


@pytest.mark.parametrize("where", ["hook in the worktree", "another repository"])
async def test_a_worktree_that_waits_to_be_removed_runs_nothing_after_a_restart(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    for checkout in (repository, subject.worktree):
        (checkout / ".hooks").mkdir()
    config(repository, "core.hooksPath", ".hooks")
    row = await begin(resources, subject)
    if where == "another repository":
        elsewhere = tmp_path / "elsewhere"
        subprocess.run(["git", "init", "-q", elsewhere], check=True)
        config(elsewhere, "filter.evil.clean", str(program))
        (subject.worktree / ".git").write_text(f"gitdir: {elsewhere}/.git\n")
        (subject.worktree / ".gitattributes").write_text("* filter=evil\n")
        (subject.worktree / "new.txt").write_text("new\n")
    for name in ("reference-transaction", "post-index-change", "post-checkout"):
        hook = subject.worktree / ".hooks" / name
        hook.write_bytes(program.read_bytes())
        hook.chmod(0o755)
    await end(resources, subject, row)
    assert not await resources.store.read(lambda r: processes.running_of(r, subject.attempt.id))
    await removal.delete_project(resources, subject.project.id)
    await restarted(resources)
    await removal.clean_up(resources)
    assert await resources.store.read(cleanups.fetch_all) == []
    assert not subject.worktree.exists()
    assert not ran()


async def test_accepting_lets_nothing_run_in_a_worktree_that_waits_to_be_removed(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    for checkout in (repository, subject.worktree):
        (checkout / ".hooks").mkdir()
    config(repository, "core.hooksPath", ".hooks")
    row = await begin(resources, subject)
    for name in ("reference-transaction", "post-index-change"):
        hook = subject.worktree / ".hooks" / name
        hook.write_bytes(program.read_bytes())
        hook.chmod(0o755)
    assert len(await end(resources, subject, row)) == 1
    await removal.delete_attempt(resources, subject.attempt.id)
    # Nobody is shown what is in there any more, so nobody can mean it.
    assert not (await program_acceptance.state(resources, subject.project.id)).withheld
    body = AcceptGitPrograms()
    accepted = await program_acceptance.accept(resources, subject.project.id, body)
    assert (accepted.withheld, accepted.changes) == (False, [])
    await removal.clean_up(resources)
    assert not subject.worktree.exists()
    assert not ran()


async def test_a_repository_that_is_away_at_a_restart_runs_nothing_when_it_is_back(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    for checkout in (repository, subject.worktree):
        (checkout / ".hooks").mkdir()
    config(repository, "core.hooksPath", ".hooks")
    row = await begin(resources, subject)
    for name in ("reference-transaction", "post-index-change"):
        hook = subject.worktree / ".hooks" / name
        hook.write_bytes(program.read_bytes())
        hook.chmod(0o755)
    assert len(await end(resources, subject, row)) == 1
    await removal.delete_project(resources, subject.project.id)
    away = repository.rename(tmp_path / "away")
    await restarted(resources)
    await removal.clean_up(resources)
    assert subject.worktree.exists()
    away.rename(repository)
    await removal.clean_up(resources)
    assert not subject.worktree.exists()
    assert not ran()
