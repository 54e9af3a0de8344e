"""Creating an attempt: everything is checked first, then row and process are written together."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.program.command import git
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import NewTask
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.worktrees import NameTaken
from anyond.model.rows import ProcessStatus, RunReason, TaskStatus
from anyond.operations.resources import Resources
from anyond.operations.run import creation
from anyond.store.board import attempts, tasks
from anyond.store.runs import processes, sessions
from tests.support.rows import PROFILE, add_project, prompts


async def test_a_task_and_its_attempt_are_written_together(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(
        resources, repository, setup_script="make ready", cleanup_script="make lint"
    )
    new = NewTask(project_id=project.id, title="Brew tea", description="Green.")
    attempt, process = await creation.task_and_attempt(resources, new, PROFILE, "main")
    assert attempt.branch == f"anyon/brew-tea-{attempt.id[:8]}"
    assert attempt.target_branch == "main"
    assert attempt.container_ref is None
    assert process.status is ProcessStatus.RUNNING
    assert process.run_reason is RunReason.SETUP_SCRIPT
    assert prompts(process.executor_action) == ["make ready", "Brew tea\n\nGreen.", "make lint"]
    task = await resources.store.read(lambda r: tasks.get(r, attempt.task_id))
    assert task.status is TaskStatus.IN_PROGRESS


async def test_an_attempt_at_a_task_begins_with_its_agent_where_there_is_no_setup_script(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(resources, repository)
    new = NewTask(project_id=project.id, title="Tea")
    first, _ = await creation.task_and_attempt(resources, new, PROFILE, "main")
    second, process = await creation.attempt(resources, first.task_id, PROFILE, "main")
    assert second.task_id == first.task_id
    assert second.branch != first.branch
    assert process.run_reason is RunReason.CODING_AGENT
    session = await resources.store.read(lambda r: sessions.get(r, process.id))
    assert session is not None
    assert session.prompt == "Tea"


@pytest.mark.parametrize("branch", ["nowhere", "../main", "-q", "main^{tree}", ""])
async def test_nothing_is_written_for_a_branch_that_is_none(
    resources: Resources, repository: Path, branch: str
) -> None:
    project = await add_project(resources, repository)
    new = NewTask(project_id=project.id, title="Tea")
    with pytest.raises(AnyondError):
        await creation.task_and_attempt(resources, new, PROFILE, branch)
    assert await resources.store.read(lambda r: tasks.all_with_status(r, project.id)) == []
    assert await resources.store.read(processes.running) == []


async def test_nothing_is_written_for_a_variant_that_is_none(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(resources, repository)
    profile = ExecutorProfileId(executor=Executor.CLAUDE_CODE, variant="NONE_SUCH")
    with pytest.raises(AnyondError, match="NONE_SUCH"):
        await creation.task_and_attempt(
            resources, NewTask(project_id=project.id, title="Tea"), profile, "main"
        )
    assert await resources.store.read(lambda r: tasks.all_with_status(r, project.id)) == []


async def test_a_branch_in_the_way_of_the_prefix_is_named(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(resources, repository)
    prefix = resources.config.config.git_branch_prefix
    await git("branch", prefix, cwd=repository)
    with pytest.raises(NameTaken, match=prefix):
        await creation.task_and_attempt(
            resources, NewTask(project_id=project.id, title="Tea"), PROFILE, "main"
        )


async def test_a_task_that_was_deleted_gets_no_attempt(
    resources: Resources, repository: Path
) -> None:
    await add_project(resources, repository)
    with pytest.raises(NotFound):
        await creation.attempt(resources, "none", PROFILE, "main")
    assert await resources.store.read(attempts.containers) == []
