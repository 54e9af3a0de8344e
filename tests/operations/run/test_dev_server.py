"""Dev servers and setups of agents: what is written down, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.refusals.requests import SetupNotSupported
from anyond.model.refusals.runs import Busy, NoDevScript
from anyond.model.rows import RunReason, TaskStatus
from anyond.operations.resources import Resources
from anyond.operations.run import agent_setup, dev_server
from anyond.store.board import tasks
from tests.support.rows import add_attempt, add_project, add_run, asks, end_run, prompts


async def test_a_dev_server_runs_beside_an_agent_and_leaves_the_task_alone(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(resources, repository, dev_script="npm run dev")
    subject = await add_attempt(resources, project, made=False)
    row = await dev_server.insert(resources, subject)
    assert row.run_reason is RunReason.DEV_SERVER
    assert prompts(row.executor_action) == ["npm run dev"]
    task = await resources.store.read(lambda r: tasks.get(r, subject.task.id))
    assert task.status is TaskStatus.TODO
    await add_run(resources, subject, asks())


async def test_a_project_has_one_dev_server_whichever_attempt_asks(
    resources: Resources, repository: Path
) -> None:
    project = await add_project(resources, repository, dev_script="npm run dev")
    subject = await add_attempt(resources, project, made=False)
    other = await add_attempt(resources, project, branch="anyon/y", made=False)
    row = await dev_server.insert(resources, subject)
    for one in (subject, other):
        with pytest.raises(Busy):
            await dev_server.insert(resources, one)
    await end_run(resources, row)
    await dev_server.insert(resources, other)


@pytest.mark.parametrize("script", [None, "", " \n"])
async def test_a_project_without_a_dev_script_has_no_dev_server(
    resources: Resources, repository: Path, script: str | None
) -> None:
    project = await add_project(resources, repository, dev_script=script)
    subject = await add_attempt(resources, project, made=False)
    with pytest.raises(NoDevScript, match="P"):
        await dev_server.insert(resources, subject)


async def test_after_its_setup_the_agent_is_asked_again_what_it_was_asked_last(
    resources: Resources, repository: Path
) -> None:
    subject = await add_attempt(resources, await add_project(resources, repository), made=False)
    await end_run(resources, await add_run(resources, subject, asks("Tea")))
    profile = ExecutorProfileId(executor=Executor.CURSOR_AGENT)
    row = await agent_setup.set_up(resources, subject, profile)
    assert row.run_reason is RunReason.SETUP_SCRIPT
    scripts = prompts(row.executor_action)
    assert len(scripts) >= 2
    assert scripts[-1] == "Tea"
    with pytest.raises(Busy):
        await agent_setup.set_up(resources, subject, profile)


async def test_an_agent_that_cannot_be_set_up_from_here_is_refused(
    resources: Resources, repository: Path
) -> None:
    subject = await add_attempt(resources, await add_project(resources, repository), made=False)
    profile = ExecutorProfileId(executor=Executor.AMP)
    with pytest.raises(SetupNotSupported, match="AMP"):
        await agent_setup.set_up(resources, subject, profile)
