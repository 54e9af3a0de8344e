"""What runs change of the programs that git runs is withheld until a person accepts it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from anyond.git.commits.commit import commit_all
from anyond.git.diff import status
from anyond.git.disk import locations
from anyond.git.merging import merge
from anyond.git.program import guard
from anyond.git.program.command import GitFailed, git
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.errors import Conflict
from anyond.model.http.bodies import AcceptGitPrograms, NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.refusals.git import TransportWithheld
from anyond.model.refusals.remotes import Unreachable
from anyond.model.refusals.withheld import ProgramsWithheld
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    ScriptContext,
    ScriptRequest,
    TaskAttempt,
)
from anyond.operations import projects as project_operations
from anyond.operations import subject
from anyond.operations.branch import publish
from anyond.operations.resources import Resources
from anyond.operations.run import abandonment, run
from anyond.operations.subject import Subject
from anyond.operations.workspace import git_programs, program_acceptance, withheld, worktree
from anyond.store.board import attempts, tasks
from anyond.store.runs import processes

_AGENT = CodingAgentInitialRequest(
    prompt="Do it", executor_profile_id=ExecutorProfileId(executor=Executor.DEMO)
)
_SETUP = ScriptRequest(script="npm install", context=ScriptContext.SETUP)


@pytest.fixture
async def about(resources: Resources, repository: Path) -> Subject:
    """An attempt of a project that a person has added, with its worktree."""
    (repository / "file.txt").write_text("text\n")
    await commit_all(repository, "file")
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
    project = await project_operations.create(resources, new)
    return await another(resources, project.id, "anyon/x")


async def another(resources: Resources, project_id: str, branch: str) -> Subject:
    task = await resources.store.write(
        lambda tx: tasks.insert(tx, NewTask(project_id=project_id, title="T"), new_id(), now())
    )

    def insert(tx: object) -> TaskAttempt:
        return attempts.insert(
            tx,  # type: ignore[arg-type]
            id=new_id(),
            task_id=task.id,
            branch=branch,
            target_branch="main",
            executor="DEMO",
            now=now(),
        )

    row = await resources.store.write(insert)
    return await worktree.prepare(resources, await subject.read(resources, row.id))


async def begin(
    resources: Resources, about: Subject, kind: CodingAgentInitialRequest | ScriptRequest = _AGENT
) -> ExecutionProcess:
    action = ExecutorAction(typ=kind)
    row = await resources.store.write(
        lambda tx: run.insert(tx, about.attempt.id, about.task.id, action)
    )
    await git_programs.begin(resources, about, row)
    return row


async def end(resources: Resources, about: Subject, row: ExecutionProcess) -> list[str]:
    remarks = await git_programs.end(resources, about, row)
    await resources.store.write(
        lambda tx: processes.finish(
            tx,
            row.id,
            status=ProcessStatus.COMPLETED,
            exit_code=0,
            after_head_commit=None,
            at=now(),
        )
    )
    return [remark.text for remark in remarks]


def canary(tmp_path: Path, name: str = "canary") -> tuple[Path, Callable[[], bool]]:
    """A program that leaves a mark when it is run, and whether it did."""
    mark, program = tmp_path / f"{name}-was-run", tmp_path / name
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    return program, mark.exists


def config(repository: Path, key: str, value: str) -> None:
    subprocess.run(["git", "config", key, value], cwd=repository, check=True)


def arm(where: str, repository: Path, about: Subject, program: Path) -> None:
    """Name a program where git looks for one."""
    tree = about.worktree
    common = repository / ".git"
    if where == "hook":
        (common / "hooks").mkdir(exist_ok=True)
        (common / "hooks" / "pre-commit").write_bytes(program.read_bytes())
        (common / "hooks" / "pre-commit").chmod(0o755)
    elif where == "hooksPath":
        (program.parent / "hooks").mkdir()
        (program.parent / "hooks" / "pre-commit").symlink_to(program)
        config(repository, "core.hooksPath", str(program.parent / "hooks"))
    elif where in {"clean", "process", "smudge"}:
        config(repository, f"filter.evil.{where}", str(program))
        (tree / ".gitattributes").write_text("*.txt filter=evil\n")
    elif where == "include":
        (tree / "more").write_text(f'[filter "evil"]\n\tclean = {program}\n')
        config(repository, "include.path", str(tree / "more"))
        (common / "info" / "attributes").write_text("* filter=evil\n")
    elif where == "config.worktree":
        config(repository, "extensions.worktreeConfig", "true")
        subprocess.run(
            ["git", "config", "--worktree", "filter.evil.clean", str(program)], cwd=tree, check=True
        )
        (tree / ".gitattributes").write_text("*.txt filter=evil\n")
    elif where == "gpg":
        config(repository, "commit.gpgSign", "true")
        config(repository, "gpg.program", str(program))
    elif where == "hook in the worktree":
        hooks = tree / ".hooks" / "pre-commit"
        hooks.write_bytes(program.read_bytes())
        hooks.chmod(0o755)


PLACES = [
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


async def work(about: Subject) -> None:
    """What Anyon's git does after a run."""
    (about.worktree / "file.txt").write_text(f"changed {new_id()}\n")
    await status.status(about.worktree)
    try:
        await commit_all(about.worktree, "work")
    finally:
        await git("reset", "--hard", "--quiet", cwd=about.worktree)
        (about.worktree / "file.txt").unlink()
        await git("checkout", "--", "file.txt", cwd=about.worktree)


def has_hooks_of_its_own(repository: Path, about: Subject) -> None:
    for checkout in (repository, about.worktree):
        (checkout / ".hooks").mkdir()
    config(repository, "core.hooksPath", ".hooks")


@pytest.mark.parametrize("where", PLACES)
async def test_what_a_run_has_changed_does_not_run_until_it_is_accepted(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    if where == "hook in the worktree":
        has_hooks_of_its_own(repository, about)
    row = await begin(resources, about)
    arm(where, repository, about, program)
    await status.status(about.worktree)
    told = await end(resources, about, row)
    await work(about)
    state = await program_acceptance.state(resources, about.project.id)

    assert not ran()
    assert len(told) == 1
    assert "git-programs/accept" in told[0]
    assert state.withheld
    assert state.changes
    shown = await resources.store.read(lambda r: attempts.get(r, about.attempt.id))
    assert shown.git_programs_withheld

    accepted = AcceptGitPrograms(digest=state.digest)
    state = await program_acceptance.accept(resources, about.project.id, accepted)
    with suppress(GitFailed):  # what signs here signs nothing
        await work(about)

    assert not state.withheld
    assert ran()
    shown = await resources.store.read(lambda r: attempts.get(r, about.attempt.id))
    assert not shown.git_programs_withheld


@pytest.mark.parametrize("where", PLACES)
async def test_it_does_not_run_while_the_run_goes_on_either(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    if where == "hook in the worktree":
        has_hooks_of_its_own(repository, about)
    await begin(resources, about)
    await status.status(about.worktree)
    arm(where, repository, about, program)
    await work(about)
    assert not ran()


@pytest.mark.parametrize("where", ["hook", "clean", "hook in the worktree"])
async def test_what_a_person_changes_between_runs_is_nothing_to_talk_about(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, where: str
) -> None:
    program, ran = canary(tmp_path)
    if where == "hook in the worktree":
        has_hooks_of_its_own(repository, about)
    assert await end(resources, about, await begin(resources, about)) == []
    arm(where, repository, about, program)
    row = await begin(resources, about)
    await work(about)
    told = await end(resources, about, row)
    assert told == []
    assert ran()


async def restarted(resources: Resources, repository: Path) -> None:
    """Only what is written down is known any more."""
    place = locations.locate(repository)
    assert place is not None
    assert place.common_dir is not None
    guard.install(place.common_dir, guard.Guard(repository, {}))
    await git_programs.load(resources)


def cannot_be_read(what: str, repository: Path, about: Subject) -> Callable[[], None]:
    """Make configuration unreadable as an agent could; what is returned mends it."""
    broken = repository / ".git" / "config"
    if what == "that of the worktree":
        config(repository, "extensions.worktreeConfig", "true")
        place = locations.locate(about.worktree)
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
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, what: str
) -> None:
    program, ran = canary(tmp_path)
    row = await begin(resources, about)
    arm("hook", repository, about, program)
    mend = cannot_be_read(what, repository, about)
    told = await end(resources, about, row)
    assert "could not be seen" in told[-1]
    assert "git-programs/accept" in told[-1]
    mend()
    await restarted(resources, repository)
    state = await program_acceptance.state(resources, about.project.id)
    assert state.withheld
    shown = await resources.store.read(lambda r: attempts.get(r, about.attempt.id))
    assert shown.git_programs_withheld
    await work(about)
    assert not ran()
    accepted = AcceptGitPrograms(digest=state.digest)
    assert not (await program_acceptance.accept(resources, about.project.id, accepted)).withheld
    await work(about)
    assert ran()


async def test_what_a_run_has_changed_is_withheld_however_it_ends(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    row = await begin(resources, about)
    arm("hook", repository, about, program)
    await abandonment.end_run(resources, row, "It crashed five times.")
    await restarted(resources, repository)
    state = await program_acceptance.state(resources, about.project.id)
    assert [change.name for change in state.changes] == ["hook hooks/pre-commit"]
    await work(about)
    assert not ran()
    log = resources.launcher.spool(row.id).path / "entries.jsonl"
    assert "git-programs/accept" in log.read_text()


async def test_harmless_settings_are_nobodys_concern(
    resources: Resources, repository: Path, about: Subject
) -> None:
    row = await begin(resources, about)
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
    assert await end(resources, about, row) == []


async def test_a_setup_script_in_a_fresh_worktree_is_the_persons(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    setup = await begin(resources, about, _SETUP)
    arm("hook", repository, about, program)
    assert await end(resources, about, setup) == []
    agent = await begin(resources, about)
    await work(about)
    assert await end(resources, about, agent) == []
    assert ran()
    again = await begin(resources, about, _SETUP)
    config(repository, "core.sshCommand", str(program))
    assert len(await end(resources, about, again)) == 1


async def test_a_change_is_withheld_from_all_attempts_and_survives_a_restart(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    other = await another(resources, about.project.id, "anyon/y")
    mine, theirs = await begin(resources, about), await begin(resources, other)
    arm("hook", repository, about, program)
    assert len(await end(resources, about, mine)) == 1
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
    resources: Resources, repository: Path, about: Subject
) -> None:
    row = await begin(resources, about)
    config(repository, "core.sshCommand", "evil")
    assert len(await end(resources, about, row)) == 1
    subprocess.run(["git", "config", "--unset", "core.sshCommand"], cwd=repository, check=True)
    assert await end(resources, about, await begin(resources, about)) == []
    assert not (await program_acceptance.state(resources, about.project.id)).withheld


async def test_who_accepts_has_to_have_seen_it(
    resources: Resources, repository: Path, about: Subject
) -> None:
    row = await begin(resources, about)
    config(repository, "core.sshCommand", "evil")
    await end(resources, about, row)
    state = await program_acceptance.state(resources, about.project.id)
    config(repository, "core.sshCommand", "worse")
    with pytest.raises(Conflict) as refusal:
        await program_acceptance.accept(
            resources, about.project.id, AcceptGitPrograms(digest=state.digest)
        )
    assert refusal.value.type == "git_programs_changed"
    assert (await program_acceptance.state(resources, about.project.id)).withheld


async def test_a_project_can_be_trusted_for_good(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path
) -> None:
    program, ran = canary(tmp_path)
    await begin(resources, about)
    state = await program_acceptance.accept(
        resources, about.project.id, AcceptGitPrograms(always=True)
    )
    assert state.always
    row = await begin(
        resources, about, ScriptRequest(script="dev", context=ScriptContext.DEV_SERVER)
    )
    arm("hook", repository, about, program)
    assert await end(resources, about, row) == []
    await work(about)
    assert ran()


async def test_the_persons_own_programs_go_on_while_the_repositorys_are_withheld(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, home: Path
) -> None:
    mine, mine_ran = canary(tmp_path, "mine")
    evil, evil_ran = canary(tmp_path, "evil")
    hooks = tmp_path / "my-hooks"
    hooks.mkdir()
    (hooks / "pre-commit").symlink_to(mine)
    (home / ".gitconfig").write_text(
        f'[core]\n\thooksPath = {hooks}\n[filter "both"]\n\tclean = cat\n'
    )
    row = await begin(resources, about)
    config(repository, "filter.both.clean", str(evil))
    config(repository, "core.hooksPath", str(tmp_path))
    (about.worktree / ".gitattributes").write_text("*.txt filter=both\n")
    assert len(await end(resources, about, row)) == 1
    await work(about)
    assert mine_ran()
    assert not evil_ran()


@pytest.mark.parametrize(
    "key", ["remote.origin.pushurl", "remote.pushDefault", "branch.anyon/x.pushRemote"]
)
async def test_a_push_that_needs_what_is_withheld_says_where_to_accept_it(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, key: str
) -> None:
    elsewhere = tmp_path / "elsewhere.git"
    program, ran = canary(tmp_path)
    for place in (tmp_path / "there.git", elsewhere):
        subprocess.run(["git", "init", "-q", "--bare", place], check=True)
    (elsewhere / "hooks").mkdir(exist_ok=True)
    (elsewhere / "hooks" / "pre-receive").symlink_to(program)
    config(repository, "remote.origin.url", str(tmp_path / "there.git"))
    row = await begin(resources, about)
    config(repository, key, str(elsewhere))
    assert len(await end(resources, about, row)) == 1
    await work(about)
    with pytest.raises(Conflict) as refusal:
        await publish.push_attempt(resources, about, force=False)
    assert refusal.value.type == "git_programs_withheld"
    assert f"POST /api/projects/{about.project.id}/git-programs/accept" in str(refusal.value)
    assert not ran()
    await program_acceptance.accept(resources, about.project.id, AcceptGitPrograms(always=True))
    await publish.push_attempt(resources, about, force=False)
    assert ran()


async def test_what_is_withheld_always_tells_programs_in_which_project(about: Subject) -> None:
    """Also if it has been accepted by the time that somebody asks where it can be."""
    told = withheld.pointed_out(about, TransportWithheld("transport 'file' not allowed"))
    assert isinstance(told, ProgramsWithheld)
    assert told.data == {
        "type": "git_programs_withheld",
        "message": str(TransportWithheld("transport 'file' not allowed")),
        "project_id": about.project.id,
    }


async def test_any_other_push_that_fails_meanwhile_says_so_too(
    resources: Resources, repository: Path, about: Subject
) -> None:
    config(repository, "remote.origin.url", "https://localhost:1/tea.git")
    row = await begin(resources, about)
    config(repository, "core.sshCommand", "evil")
    assert len(await end(resources, about, row)) == 1
    await work(about)
    with pytest.raises(Unreachable, match="git-programs/accept"):
        await publish.push_attempt(resources, about, force=False)


async def test_projects_of_one_repository_share_what_is_accepted(
    resources: Resources, repository: Path, about: Subject
) -> None:
    (repository / "part").mkdir()
    (repository / "part" / "file.txt").write_text("text\n")
    await commit_all(repository, "part")
    new = NewProject(name="Q", git_repo_path=str(repository / "part"), use_existing_repo=True)
    other = await project_operations.create(resources, new)
    beside = await another(resources, other.id, "anyon/y")
    await end(resources, beside, await begin(resources, beside))
    row = await begin(resources, about)
    config(repository, "core.sshCommand", "evil")
    assert len(await end(resources, about, row)) == 1
    waiting = await program_acceptance.state(resources, other.id)
    assert waiting.withheld
    assert waiting == await program_acceptance.state(resources, about.project.id)
    await program_acceptance.accept(resources, other.id, AcceptGitPrograms(digest=waiting.digest))
    seen = await resources.store.read(lambda r: attempts.get(r, about.attempt.id))
    assert not seen.git_programs_withheld
    # The next daemon knows of both what either of them knew.
    for _ in range(2):
        for project_id in (about.project.id, other.id):
            found = await program_acceptance.state(resources, project_id)
            assert (found.withheld, found.changes) == (False, [])
        guard._guards.clear()
        await git_programs.load(resources)
    held = next(iter(guard._guards.values()))
    assert {str(about.worktree), str(beside.worktree)} <= held.worktrees.keys()


@pytest.mark.parametrize("where", ["a directory", "another checkout"])
async def test_a_first_run_in_another_project_of_the_repository_accepts_nothing(
    resources: Resources, repository: Path, about: Subject, tmp_path: Path, where: str
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
    row = await begin(resources, about)
    arm("hook", repository, about, program)
    assert len(await end(resources, about, row)) == 1
    first = await begin(resources, beside)
    await work(beside)
    await end(resources, beside, first)
    await restarted(resources, repository)
    for one in (about, beside):
        assert (await program_acceptance.state(resources, one.project.id)).withheld
        await work(one)
    assert not ran()
