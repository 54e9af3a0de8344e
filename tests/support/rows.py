"""Rows as operations find them: a project with its task, an attempt, runs of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    Project,
    ScriptContext,
    ScriptRequest,
    TaskAttempt,
)
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.turn.turn_record import TurnRecord
from anyond.operations.workspace import worktree
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions

PROFILE = ExecutorProfileId(executor=Executor.CLAUDE_CODE)


async def add_project(resources: Resources, repository: Path, **settings: Any) -> Project:
    """A project at `repository`, with `settings` such as `setup_script`."""
    new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True, **settings)
    return await resources.store.write(lambda tx: projects.insert(tx, new, new_id(), now()))


async def add_attempt(
    resources: Resources, project: Project, *, branch: str = "anyon/x", made: bool = True
) -> Subject:
    """An attempt at a new task of the project, at which nobody works.

    Args:
        made: whether its worktree is there already.
    """

    def work(tx: Tx) -> TaskAttempt:
        task = tasks.insert(tx, NewTask(project_id=project.id, title="Tea"), new_id(), now())
        return attempts.insert(
            tx,
            id=new_id(),
            task_id=task.id,
            branch=branch,
            target_branch="main",
            executor="CLAUDE_CODE",
            now=now(),
        )

    row = await resources.store.write(work)
    found = await subject.read(resources, row.id)
    return await worktree.prepare(resources, found) if made else found


def asks(prompt: str = "Make tea", session: str | None = None) -> ExecutorAction:
    """What a run of the agent is: its first one, or one that resumes `session`."""
    if session is None:
        return ExecutorAction(
            typ=CodingAgentInitialRequest(prompt=prompt, executor_profile_id=PROFILE)
        )
    request = CodingAgentFollowUpRequest(
        prompt=prompt, session_id=session, executor_profile_id=PROFILE
    )
    return ExecutorAction(typ=request)


def runs_script(
    script: str, context: ScriptContext = ScriptContext.SETUP, then: ExecutorAction | None = None
) -> ExecutorAction:
    """What a run of a script is, and what is to follow it."""
    return ExecutorAction(typ=ScriptRequest(script=script, context=context), next_action=then)


async def add_run(
    resources: Resources,
    attempt_subject: Subject,
    action: ExecutorAction,
    *,
    session: str | None = None,
) -> ExecutionProcess:
    """The running row of a process; its agent has told its `session`."""

    def work(tx: Tx) -> ExecutionProcess:
        row = run.insert(tx, attempt_subject.attempt.id, attempt_subject.task.id, action)
        if session is not None:
            sessions.set_session_id(tx, row.id, session)
        return row

    return await resources.store.write(work)


async def end_run(
    resources: Resources,
    row: ExecutionProcess,
    status: ProcessStatus = ProcessStatus.COMPLETED,
) -> ExecutionProcess:
    """The same row, final."""

    def work(tx: Tx) -> ExecutionProcess:
        code = 0 if status is ProcessStatus.COMPLETED else None
        processes.finish(tx, row.id, status, exit_code=code, after_head_commit=None, at=now())
        return processes.get(tx, row.id)

    return await resources.store.write(work)


async def begin_turn(
    resources: Resources, row: ExecutionProcess, prompt: str, session: str | None = None
) -> TurnRecord:
    """Write down the turn of a run, as its start does."""
    record = TurnRecord(executor=PROFILE.executor, prompt=prompt, cwd="/", session_id=session)
    await resources.store.write(lambda tx: sessions.keep_turn(tx, row.id, record.encode()))
    return record


def prompts(action: ExecutorAction | None) -> list[str]:
    """What the links of a chain say, one after the other: scripts and prompts."""
    found = []
    while action is not None:
        request = action.typ
        found.append(request.script if isinstance(request, ScriptRequest) else request.prompt)
        action = action.next_action
    return found


def as_json(value: object) -> Any:
    """A row as a client reads it."""
    return msgspec.to_builtins(value)
