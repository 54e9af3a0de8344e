"""All that operations may reach, below a temporary directory, and a row that nobody can follow."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anyond.actors import attempts as attempts_module
from anyond.actors.execution import crashes as crashes_module
from anyond.agents.roster import DEFAULT_PROFILES
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repo.repository import Repositories
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.host.app_paths import AppPaths
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.bodies import NewProject, NewTask
from anyond.model.ids import new_id, now
from anyond.model.rows import CodingAgentInitialRequest, ExecutionProcess, ExecutorAction
from anyond.operations import subject
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.procs.shims.launcher import Launcher
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store.board import attempts, projects, tasks
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import sessions
from tests.support.store.new_database import new_database


@pytest.fixture
async def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Resources]:
    monkeypatch.setattr(attempts_module, "FIRST_BACKOFF_S", 0.001)
    monkeypatch.setattr(attempts_module, "LONGEST_BACKOFF_S", 0.05)
    monkeypatch.setattr(crashes_module, "FIRST_BACKOFF_S", 0.001)
    monkeypatch.setenv("HOME", str(tmp_path))
    paths = AppPaths.under(tmp_path / "anyon")
    paths.create()
    async with (
        Store.open(new_database(paths.database)) as store,
        Launcher.open(paths.executions) as launcher,
        DesktopNotifier.open() as notifier,
    ):
        yield Resources(
            store=store,
            config=ConfigFile(paths.config),
            profiles=Profiles(paths.profiles, DEFAULT_PROFILES),
            paths=paths,
            repositories=Repositories(),
            launcher=launcher,
            github=GitHub(Site.of({})),
            images=ImageFiles(paths.images),
            notifier=notifier,
        )


@pytest.fixture
async def about(resources: Resources, tmp_path: Path) -> Subject:
    """An attempt with a worktree, in which nothing has run yet."""
    path = tmp_path / "repository"
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True)
    first = ["git", *who, "commit", "-q", "--allow-empty", "-m", "First"]
    subprocess.run(first, cwd=path, check=True)

    def attempt(tx: Tx) -> str:
        new = NewProject(name="P", git_repo_path=str(path), use_existing_repo=True)
        project = projects.insert(tx, new, new_id(), now())
        task = tasks.insert(tx, NewTask(project_id=project.id, title="T"), new_id(), now())
        row = attempts.insert(
            tx,
            id=new_id(),
            task_id=task.id,
            branch="work",
            target_branch="main",
            executor="DEMO",
            now=now(),
        )
        return row.id

    id = await resources.store.write(attempt)
    return await worktree.prepare(resources, await subject.read(resources, id))


@pytest.fixture
async def poisoned(resources: Resources, about: Subject) -> ExecutionProcess:
    """The row of a process about which nobody can read any more how it was started."""
    profile = ExecutorProfileId(executor=Executor.DEMO)
    request = CodingAgentInitialRequest(prompt="x", executor_profile_id=profile)
    action = ExecutorAction(typ=request)

    def process(tx: Tx) -> ExecutionProcess:
        row = run.insert(tx, about.attempt.id, about.task.id, action)
        sessions.keep_turn(tx, row.id, "{")
        return row

    return await resources.store.write(process)
