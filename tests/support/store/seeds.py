"""Rows to begin with, and a short way to say what was emitted."""

from __future__ import annotations

from typing import Any

import msgspec

from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.rows import (
    Approval,
    ApprovalStatus,
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    TaskAttempt,
    TaskWithAttemptStatus,
)
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes

ACTION = ExecutorAction(
    typ=CodingAgentInitialRequest(
        prompt="Do it", executor_profile_id=ExecutorProfileId(executor=Executor.CLAUDE_CODE)
    )
)


def at(second: int) -> str:
    return f"2025-01-08T00:{second // 60:02d}:{second % 60:02d}.000Z"


def add_project(tx: Tx, id: str = "p", now: str = at(0)) -> None:
    new = NewProject(name=id, git_repo_path=f"/repositories/{id}", use_existing_repo=True)
    projects.insert(tx, new, id, now)


def add_task(
    tx: Tx, id: str = "t", project: str = "p", now: str = at(0), parent: str | None = None
) -> TaskWithAttemptStatus:
    new = NewTask(project_id=project, title=f"Task {id}", parent_task_attempt=parent)
    return tasks.insert(tx, new, id, now)


def add_attempt(
    tx: Tx, id: str = "a", task: str = "t", now: str = at(0), executor: str = "CLAUDE_CODE"
) -> TaskAttempt:
    return attempts.insert(
        tx,
        id=id,
        task_id=task,
        branch=f"anyon/{id}",
        target_branch="main",
        executor=executor,
        now=now,
    )


def add_process(
    tx: Tx,
    id: str = "x",
    attempt: str = "a",
    reason: RunReason = RunReason.CODING_AGENT,
    now: str = at(0),
) -> ExecutionProcess:
    return processes.insert(
        tx, id=id, attempt_id=attempt, run_reason=reason, executor_action=ACTION, now=now
    )


def end_process(
    tx: Tx, id: str = "x", status: ProcessStatus = ProcessStatus.COMPLETED, now: str = at(1)
) -> bool:
    return processes.finish(tx, id, status, exit_code=0, after_head_commit=None, at=now)


def question(id: str = "q", process: str = "x", call: str = "call", attempt: str = "a") -> Approval:
    return Approval(
        id=id,
        execution_process_id=process,
        task_attempt_id=attempt,
        call=call,
        tool_name="Bash",
        tool_input={"command": "rm -rf ü"},
        status=ApprovalStatus.PENDING,
        created_at=at(2),
        timeout_at=at(60),
    )


def add_family(tx: Tx) -> None:
    """The project p with the task t with the attempt a; nothing of it counts as emitted."""
    add_project(tx)
    add_task(tx)
    add_attempt(tx)
    tx.facts.clear()


def emitted(tx: Tx) -> list[tuple[str, str | None]]:
    """Kind and key of everything that was emitted since this was last asked."""
    found = [(fact.kind, fact.key) for fact in tx.facts]
    tx.facts.clear()
    return found


def sent(tx: Tx, nth: int = -1) -> dict[str, Any]:
    """The record of one fact as a client decodes it."""
    record: dict[str, Any] = msgspec.json.decode(tx.facts[nth].data)
    return record
