"""Runs that change what programs git runs, and the programs that tell when they have run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from anyond.git.commits.commit import commit_all
from anyond.git.diff import status
from anyond.git.disk import locations
from anyond.git.program import guard
from anyond.git.program.command import git
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import NewTask
from anyond.model.ids import new_id, now
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    ScriptRequest,
    TaskAttempt,
)
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.workspace import git_programs, worktree
from anyond.store.board import attempts, tasks
from anyond.store.runs import processes

AGENT = CodingAgentInitialRequest(
    prompt="Do it", executor_profile_id=ExecutorProfileId(executor=Executor.DEMO)
)


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
    resources: Resources,
    attempt_subject: Subject,
    kind: CodingAgentInitialRequest | ScriptRequest = AGENT,
) -> ExecutionProcess:
    action = ExecutorAction(typ=kind)
    row = await resources.store.write(
        lambda tx: run.insert(tx, attempt_subject.attempt.id, attempt_subject.task.id, action)
    )
    await git_programs.begin(resources, attempt_subject, row)
    return row


async def end(resources: Resources, attempt_subject: Subject, row: ExecutionProcess) -> list[str]:
    remarks = await git_programs.end(resources, attempt_subject, row)
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


def arm(where: str, repository: Path, attempt_subject: Subject, program: Path) -> None:
    """Name a program where git looks for one."""
    tree = attempt_subject.worktree
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


async def work(attempt_subject: Subject) -> None:
    """What Anyon's git does after a run."""
    (attempt_subject.worktree / "file.txt").write_text(f"changed {new_id()}\n")
    await status.status(attempt_subject.worktree)
    try:
        await commit_all(attempt_subject.worktree, "work")
    finally:
        await git("reset", "--hard", "--quiet", cwd=attempt_subject.worktree)
        (attempt_subject.worktree / "file.txt").unlink()
        await git("checkout", "--", "file.txt", cwd=attempt_subject.worktree)


async def restarted(resources: Resources, repository: Path) -> None:
    """Only what is written down is known any more."""
    place = locations.locate(repository)
    assert place is not None
    assert place.common_dir is not None
    guard.install(place.common_dir, guard.Guard(repository, {}))
    await git_programs.load(resources)
