"""What runs change of the programs that git runs is withheld, however the run ends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff import status
from anyond.git.disk import locations
from anyond.git.program.command import GitFailed
from anyond.model.errors import Conflict
from anyond.model.http.bodies import AcceptGitPrograms, NewProject
from anyond.model.refusals.git import TransportWithheld
from anyond.model.refusals.remotes import Unreachable
from anyond.model.refusals.withheld import ProgramsWithheld
from anyond.model.rows import (
    ScriptContext,
    ScriptRequest,
)
from anyond.operations import projects as project_operations
from anyond.operations.branch import publish
from anyond.operations.resources import Resources
from anyond.operations.run import abandonment
from anyond.operations.subject import Subject
from anyond.operations.workspace import program_acceptance, withheld
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

_SETUP = ScriptRequest(script="npm install", context=ScriptContext.SETUP)


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    """An attempt of a project that a person has added, with its worktree."""
    (repository / "file.txt").write_text("text\n")
    await commit_all(repository, "file")
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    project = await project_operations.create(resources, new)
    return await another(resources, project.id, "anyon/x")


PATHS = [
    "hook",
    "hooksPath",
    "clean",
    "process",
    "smudge",
    "include",
    "config.worktree",
    "gpg",
    "hook in the worktree",
]


def has_hooks_of_its_own(repository: Path, subject: Subject) -> None:
    for checkout in (repository, subject.worktree):
        (checkout / ".hooks").mkdir()
    config(repository, "core.hooksPath", ".hooks")


@pytest.mark.parametrize("where", PATHS)
async def test_what_a_run_has_changed_does_not_run_until_it_is_accepted(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    if where == "hook in the worktree":
        has_hooks_of_its_own(repository, subject)
    row = await begin(resources, subject)
    arm(where, repository, subject, program)
    await status.status(subject.worktree)
    reported = await end(resources, subject, row)
    await work(subject)
    state = await program_acceptance.state(resources, subject.project.id)

    assert not ran()
    assert len(reported) == 1
    assert "git-programs/accept" in reported[0]
    assert state.withheld
    assert state.changes
    displayed = await resources.store.read(lambda r: attempts.get(r, subject.attempt.id))
    assert displayed.git_programs_withheld

    accepted = AcceptGitPrograms(digest=state.digest)
    state = await program_acceptance.accept(resources, subject.project.id, accepted)
    with suppress(GitFailed):  # what signs here signs nothing
        await work(subject)

    assert not state.withheld
    assert ran()
    displayed = await resources.store.read(lambda r: attempts.get(r, subject.attempt.id))
    assert not displayed.git_programs_withheld


@pytest.mark.parametrize("where", PATHS)
async def test_it_does_not_run_while_the_run_goes_on_either(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    if where == "hook in the worktree":
        has_hooks_of_its_own(repository, subject)
    await begin(resources, subject)
    await status.status(subject.worktree)
    arm(where, repository, subject, program)
    await work(subject)
    assert not ran()


@pytest.mark.parametrize("where", ["hook", "clean", "hook in the worktree"])
async def test_what_a_person_changes_between_runs_is_nothing_to_talk_about(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    if where == "hook in the worktree":
        has_hooks_of_its_own(repository, subject)
    assert await end(resources, subject, await begin(resources, subject)) == []
    arm(where, repository, subject, program)
    row = await begin(resources, subject)
    await work(subject)
    reported = await end(resources, subject, row)
    assert reported == []
    assert ran()


def cannot_be_read(what: str, repository: Path, subject: Subject) -> Callable[[], None]:
    """Make configuration unreadable as an agent could; what is returned mends it."""
    broken = repository / ".git" / "config"
    if what == "that of the worktree":
        config(repository, "extensions.worktreeConfig", "true")
        place = locations.locate(subject.worktree)
        assert place is not None
        broken = place.git_dir / "config.worktree"
    elif what == "an endless file":
        broken = repository / "included"
        broken.symlink_to("/dev/zero")
        config(repository, "include.path", str(broken))
        return broken.unlink
    before = broken.read_text() if broken.exists() else ""
    broken.write_text(f"{before}[core\n")

    def mend() -> None:
        broken.write_text(before)

    return mend


@pytest.mark.parametrize(
    "what", ["that of the worktree", "that of the repository", "an endless file"]
)
async def test_what_cannot_be_looked_at_after_a_run_is_withheld_too(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, what: str
) -> None:
    program, ran = canary(tmp_path)
    row = await begin(resources, subject)
    arm("hook", repository, subject, program)
    mend = cannot_be_read(what, repository, subject)
    reported = await end(resources, subject, row)
    assert "could not be seen" in reported[-1]
    assert "git-programs/accept" in reported[-1]
    mend()
    await restarted(resources, repository)
    state = await program_acceptance.state(resources, subject.project.id)
    assert state.withheld
    displayed = await resources.store.read(lambda r: attempts.get(r, subject.attempt.id))
    assert displayed.git_programs_withheld
    await work(subject)
    assert not ran()
    accepted = AcceptGitPrograms(digest=state.digest)
    assert not (await program_acceptance.accept(resources, subject.project.id, accepted)).withheld
    await work(subject)
    assert ran()


async def test_what_a_run_has_changed_is_withheld_however_it_ends(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    row = await begin(resources, subject)
    arm("hook", repository, subject, program)
    await abandonment.end_run(resources, row, "It crashed five times.")
    await restarted(resources, repository)
    state = await program_acceptance.state(resources, subject.project.id)
    assert [change.name for change in state.changes] == ["hook hooks/pre-commit"]
    await work(subject)
    assert not ran()
    log = resources.launcher.spool(row.id).path / "entries.jsonl"
    assert "git-programs/accept" in log.read_text()


async def test_harmless_settings_are_nobodys_concern(
    resources: Resources, repository: Path, subject: Subject
) -> None:
    row = await begin(resources, subject)
    for key, value in (
        ("branch.anyon/x.remote", "origin"),
        ("remote.origin.url", "git@github.com:ada/tea.git"),
        ("remote.fork.url", "https://github.com/ada/tea.git"),
        ("remote.fork.fetch", "+refs/heads/*:refs/remotes/fork/*"),
        ("user.email", "agent@example.org"),
        ("core.fsmonitor", "true"),
        ("pull.rebase", "true"),
        ("alias.st", "status"),
    ):
        config(repository, key, value)
    (repository / ".git" / "hooks" / "pre-commit.sample").write_text("#!/bin/sh\n")
    assert await end(resources, subject, row) == []


async def test_a_setup_script_in_a_fresh_worktree_is_the_persons(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    setup = await begin(resources, subject, _SETUP)
    arm("hook", repository, subject, program)
    assert await end(resources, subject, setup) == []
    agent = await begin(resources, subject)
    await work(subject)
    assert await end(resources, subject, agent) == []
    assert ran()
    again = await begin(resources, subject, _SETUP)
    config(repository, "core.sshCommand", str(program))
    assert len(await end(resources, subject, again)) == 1


async def test_the_persons_own_programs_go_on_while_the_repositorys_are_withheld(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, home: Path
) -> None:
    mine, mine_ran = canary(tmp_path, "mine")
    evil, evil_ran = canary(tmp_path, "evil")
    hooks = tmp_path / "my-hooks"
    hooks.mkdir()
    (hooks / "pre-commit").symlink_to(mine)
    (home / ".gitconfig").write_text(
        f'[core]\n\thooksPath = {hooks}\n[filter "both"]\n\tclean = cat\n'
    )
    row = await begin(resources, subject)
    config(repository, "filter.both.clean", str(evil))
    config(repository, "core.hooksPath", str(tmp_path))
    (subject.worktree / ".gitattributes").write_text("*.txt filter=both\n")
    assert len(await end(resources, subject, row)) == 1
    await work(subject)
    assert mine_ran()
    assert not evil_ran()


@pytest.mark.parametrize(
    "key", ["remote.origin.pushurl", "remote.pushDefault", "branch.anyon/x.pushRemote"]
)
async def test_a_push_that_needs_what_is_withheld_says_where_to_accept_it(
    resources: Resources, repository: Path, subject: Subject, tmp_path: Path, key: str
) -> None:
    elsewhere = tmp_path / "elsewhere.git"
    program, ran = canary(tmp_path)
    for place in (tmp_path / "there.git", elsewhere):
        subprocess.run(["git", "init", "-q", "--bare", place], check=True)
    (elsewhere / "hooks").mkdir(exist_ok=True)
    (elsewhere / "hooks" / "pre-receive").symlink_to(program)
    config(repository, "remote.origin.url", str(tmp_path / "there.git"))
    row = await begin(resources, subject)
    config(repository, key, str(elsewhere))
    assert len(await end(resources, subject, row)) == 1
    await work(subject)
    with pytest.raises(Conflict) as refusal:
        await publish.push_attempt(resources, subject, force=False)
    assert refusal.value.type == "git_programs_withheld"
    assert f"POST /api/projects/{subject.project.id}/git-programs/accept" in str(refusal.value)
    assert not ran()
    await program_acceptance.accept(resources, subject.project.id, AcceptGitPrograms(always=True))
    await publish.push_attempt(resources, subject, force=False)
    assert ran()


async def test_what_is_withheld_always_tells_programs_in_which_project(subject: Subject) -> None:
    """Also if it has been accepted by the time that somebody asks where it can be."""
    reported = withheld.pointed_out(subject, TransportWithheld("transport 'file' not allowed"))
    assert isinstance(reported, ProgramsWithheld)
    assert reported.data == {
        "type": "git_programs_withheld",
        "message": str(TransportWithheld("transport 'file' not allowed")),
        "project_id": subject.project.id,
    }


async def test_any_other_push_that_fails_meanwhile_says_so_too(
    resources: Resources, repository: Path, subject: Subject
) -> None:
    config(repository, "remote.origin.url", "https://localhost:1/tea.git")
    row = await begin(resources, subject)
    config(repository, "core.sshCommand", "evil")
    assert len(await end(resources, subject, row)) == 1
    await work(subject)
    with pytest.raises(Unreachable, match="git-programs/accept"):
        await publish.push_attempt(resources, subject, force=False)
