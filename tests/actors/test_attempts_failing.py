"""An attempt whose actor fails and fails is not left to itself."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from anyond.actors import attempts as awake_module
from anyond.actors.attempts import Attempts
from anyond.actors.logs import Logs
from anyond.agents.roster import DEFAULT_PROFILES
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repository import Repositories
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.model.bodies import NewProject, NewTask
from anyond.model.errors import AnyondError, Busy
from anyond.model.ids import new_id, now
from anyond.model.launch import Launch
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    ScriptContext,
    ScriptRequest,
    TaskStatus,
)
from anyond.model.settings import Executor, ExecutorProfileId
from anyond.operations import run, subject, worktree
from anyond.operations.rooms import Rooms
from anyond.procs.launcher import Alive, Launcher
from anyond.settings.config import ConfigFile
from anyond.settings.places import Places
from anyond.settings.profiles import Profiles
from anyond.store import attempts, processes, projects, sessions, tasks
from anyond.store.database import Store
from anyond.store.transaction import Tx


@pytest.fixture
async def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rooms]:
    monkeypatch.setattr(awake_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(awake_module, "LONGEST_PAUSE_S", 0.05)
    monkeypatch.setenv("HOME", str(tmp_path))
    places = Places.under(tmp_path / "anyon")
    places.create()
    async with (
        Store.open(places.database) as store,
        Launcher.open(places.executions) as launcher,
        DesktopNotifier.open() as announcer,
    ):
        yield Rooms(
            store=store,
            config=ConfigFile(places.config),
            profiles=Profiles(places.profiles, DEFAULT_PROFILES),
            places=places,
            repositories=Repositories(),
            launcher=launcher,
            github=GitHub(Site.of({})),
            images=ImageFiles(places.images),
            announcer=announcer,
        )


@pytest.fixture
async def poisoned(rooms: Rooms, tmp_path: Path) -> ExecutionProcess:
    """The row of a process about which nobody can read any more how it was started."""
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

    id = await rooms.store.write(attempt)
    about = await worktree.prepare(rooms, await subject.read(rooms, id))
    profile = ExecutorProfileId(executor=Executor.DEMO)
    request = CodingAgentInitialRequest(prompt="x", executor_profile_id=profile)
    action = ExecutorAction(typ=request)

    def process(tx: Tx) -> ExecutionProcess:
        row = run.insert(tx, id, about.task.id, action)
        sessions.keep_turn(tx, row.id, "{")
        return row

    return await rooms.store.write(process)


async def started(rooms: Rooms, row: ExecutionProcess, script: str) -> None:
    launch = Launch(argv=("bash", "-c", script), cwd="/", env={}, stdin=False, install="")
    running = await rooms.launcher.start(row.id, launch, limit=1 << 20)
    await running.aclose()


async def final(rooms: Rooms, row: ExecutionProcess) -> ExecutionProcess:
    with trio.fail_after(30):
        while True:
            found = await rooms.store.read(lambda r: processes.get(r, row.id))
            if found.status is not ProcessStatus.RUNNING:
                return found
            await trio.sleep(0.01)


async def test_what_is_over_ends_although_nobody_asks(
    rooms: Rooms, poisoned: ExecutionProcess
) -> None:
    await started(rooms, poisoned, "exit 3")
    async with trio.open_nursery() as nursery:
        awake = Attempts(nursery, rooms, Logs(rooms.store, rooms.launcher))
        await awake.recover()
        ended = await final(rooms, poisoned)
        assert (ended.status, ended.exit_code) == (ProcessStatus.FAILED, 3)
        task = (await subject.read(rooms, poisoned.task_attempt_id)).task
        assert task.status is TaskStatus.IN_REVIEW
        with trio.fail_after(30):
            while awake.is_awake(poisoned.task_attempt_id):
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


async def test_what_still_runs_goes_on_until_a_person_stops_it(
    rooms: Rooms, poisoned: ExecutionProcess
) -> None:
    await started(rooms, poisoned, "exec sleep 600")
    async with trio.open_nursery() as nursery:
        awake = Attempts(nursery, rooms, Logs(rooms.store, rooms.launcher))
        await awake.recover()
        with trio.fail_after(30):
            while awake.failures(poisoned.task_attempt_id) < 8:
                await trio.sleep(0.01)
        assert isinstance(rooms.launcher.look(poisoned.id), Alive)
        found = await rooms.store.read(lambda r: processes.get(r, poisoned.id))
        assert found.status is ProcessStatus.RUNNING
        # Refused by an actor that fails, or granted: it may just be ended by who counts failures.
        with suppress(AnyondError):
            await awake.halt(poisoned.task_attempt_id)
        assert (await final(rooms, poisoned)).status is ProcessStatus.KILLED
        assert not isinstance(rooms.launcher.look(poisoned.id), Alive)
        nursery.cancel_scope.cancel()


async def test_nobody_is_let_in_beside_what_ran_when_the_actor_failed(
    rooms: Rooms, poisoned: ExecutionProcess
) -> None:
    about = await subject.read(rooms, poisoned.task_attempt_id)
    request = ScriptRequest(script="sleep 600", context=ScriptContext.CLEANUP)

    def work_of_a_script(tx: Tx) -> ExecutionProcess:
        tx.execute("DELETE FROM execution_processes")
        return run.insert(tx, about.attempt.id, about.task.id, ExecutorAction(typ=request))

    row = await rooms.store.write(work_of_a_script)
    await started(rooms, row, "exec sleep 600")
    begun: list[str] = []

    async def work(_: object) -> None:
        begun.append("beside")

    async with trio.open_nursery() as nursery:
        awake = Attempts(nursery, rooms, Logs(rooms.store, rooms.launcher))
        with pytest.raises(Busy):
            await awake.do(about.attempt.id, work)
        await awake.halt(about.attempt.id)
        assert (await final(rooms, row)).status is ProcessStatus.KILLED
        nursery.cancel_scope.cancel()
    assert begun == []


async def test_what_the_disk_does_not_take_is_waited_for_however_long(
    rooms: Rooms, poisoned: ExecutionProcess
) -> None:
    about = await subject.read(rooms, poisoned.task_attempt_id)
    request = ScriptRequest(script="exit 0", context=ScriptContext.CLEANUP)

    def work_of_a_script(tx: Tx) -> ExecutionProcess:
        tx.execute("DELETE FROM execution_processes")
        return run.insert(tx, about.attempt.id, about.task.id, ExecutorAction(typ=request))

    row = await rooms.store.write(work_of_a_script)
    await started(rooms, row, "exit 0")
    in_the_way = rooms.launcher.spool(row.id).path / run.ENTRIES / "x"
    in_the_way.mkdir(parents=True)
    async with trio.open_nursery() as nursery:
        awake = Attempts(nursery, rooms, Logs(rooms.store, rooms.launcher))
        await awake.recover()
        with trio.fail_after(30):
            while awake.failures(about.attempt.id) < 8:
                await trio.sleep(0.01)
        in_the_way.rmdir()
        in_the_way.parent.rmdir()
        ended = await final(rooms, row)
        assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0)
        nursery.cancel_scope.cancel()
