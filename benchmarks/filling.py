"""Filling a data directory with years of work before a daemon ever sees it."""

from __future__ import annotations

from pathlib import Path

import trio

from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutorAction,
    ProcessStatus,
    RunReason,
)
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from benchmarks.daemon import Daemon
from benchmarks.lab import Lab

_AT_ONCE = 500
_ACTION = ExecutorAction(
    typ=CodingAgentInitialRequest(
        prompt="Do it", executor_profile_id=ExecutorProfileId(executor=Executor.ACP)
    )
)
_DESCRIPTION = "What is to be done, why, and how one sees that it is. " * 3


def filled(lab: Lab, sizes: list[int], attempted: int) -> tuple[Daemon, list[str]]:
    """A daemon that is not started yet, and the ids of its projects.

    Args:
        sizes: how many tasks each project has.
        attempted: for how many of them there is an attempt that is over.
    """
    daemon = Daemon(lab.path("daemon"), lab.environment)
    data = daemon.root / "data"
    data.mkdir(mode=0o700)
    return daemon, trio.run(_fill, data / "anyon.db", lab.repository(), sizes, attempted)


async def _fill(database: Path, repository: Path, sizes: list[int], attempted: int) -> list[str]:
    ids = []
    async with Store.open(database) as store:
        for n, size in enumerate(sizes):
            new = NewProject(
                name=f"Project {n}",
                git_repo_path=f"{repository}/{n}" if n else str(repository),
                use_existing_repo=True,
            )
            made = await store.write(lambda tx, new=new: projects.insert(tx, new, new_id(), now()))  # type: ignore[misc]
            ids.append(made.id)
            for start in range(0, size, _AT_ONCE):
                numbers = range(start, min(size, start + _AT_ONCE))
                await store.write(
                    lambda tx, p=made.id, numbers=numbers: _tasks(tx, p, numbers, attempted)  # type: ignore[misc]
                )
    return ids


def _tasks(tx: Tx, project_id: str, numbers: range, attempted: int) -> None:
    for n in numbers:
        title = f"Task {n} of many, with a title of the usual length"
        new = NewTask(project_id=project_id, title=title, description=_DESCRIPTION)
        task = tasks.insert(tx, new, new_id(), now())
        if n < attempted:
            _attempt(tx, task.id)


def _attempt(tx: Tx, task_id: str) -> None:
    attempt = attempts.insert(
        tx,
        id=new_id(),
        task_id=task_id,
        branch=f"anyon/{task_id[:8]}",
        target_branch="main",
        executor="ACP",
        now=now(),
    )
    process = processes.insert(
        tx,
        id=new_id(),
        attempt_id=attempt.id,
        run_reason=RunReason.CODING_AGENT,
        executor_action=_ACTION,
        now=now(),
    )
    status = ProcessStatus.COMPLETED
    processes.finish(tx, process.id, status, exit_code=0, after_head_commit=None, at=now())
