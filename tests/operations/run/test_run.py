"""Starting the process of a row: what is started, and what a start that fails leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec
import pytest
import trio
from msgspec.structs import replace

from anyond.git.program.command import git
from anyond.model.configuration.settings import Executor
from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.http.bodies import NewTag
from anyond.model.ids import now
from anyond.model.launch import LeftRunning
from anyond.model.refusals.programs import ProgramMissing
from anyond.model.refusals.runs import NotStarted, Stopped
from anyond.model.rows import (
    ExecutionProcess,
    ProcessStatus,
    ScriptContext,
    TaskStatus,
)
from anyond.operations import remarks, subject
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.turn import steering
from anyond.operations.turn.turn_record import SentMessage
from anyond.procs.shims.launcher import Launcher
from anyond.store.board import drafts, tags, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions
from tests.support.processes.fake_launcher import FakeLauncher
from tests.support.rows import add_attempt, add_project, add_run, asks, begin_turn, runs_script


@pytest.fixture
async def launcher(resources: Resources) -> FakeLauncher:
    return FakeLauncher(resources.launcher)


@pytest.fixture
async def faked(resources: Resources, launcher: FakeLauncher) -> Resources:
    return replace(resources, launcher=cast("Launcher", launcher))


async def start(
    faked: Resources,
    row: ExecutionProcess,
    about: Subject,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> run.Started:
    return await run.start(faked, row, about, go_on=go_on, stoppable=trio.CancelScope)


def log_of(resources: Resources, row: ExecutionProcess) -> str:
    return (resources.launcher.spool(row.id).path / "log").read_bytes().decode("utf-8", "replace")


async def final(resources: Resources, row: ExecutionProcess) -> ExecutionProcess:
    return await resources.store.read(lambda r: processes.get(r, row.id))


async def test_an_agent_starts_in_a_worktree_that_is_made_for_it(
    faked: Resources, launcher: FakeLauncher, repository: Path
) -> None:
    project = await add_project(faked, repository, environment={"KETTLE": "on"})
    about = await add_attempt(faked, project, made=False)
    await faked.store.write(
        lambda tx: tags.insert(tx, NewTag(tag_name="leaf", content="Sencha"), "t", now())
    )
    row = await add_run(faked, about, asks("Make @leaf"))
    started = await start(faked, row, about)
    launch = launcher.started[row.id]
    assert Path(launch.cwd) == started.subject.worktree
    assert (started.subject.worktree / ".git").exists()
    assert launch.env["KETTLE"] == "on"
    assert launcher.limits[row.id] == faked.config.config.log_limit_bytes
    assert launcher.recorded == [row.id]
    turn = started.turn_record
    assert turn is not None
    assert (turn.executor, turn.prompt) == (Executor.CLAUDE_CODE, "Make Sencha")
    head = (await git("rev-parse", "HEAD", cwd=repository)).out.decode().strip()
    assert (await final(faked, row)).before_head_commit == head
    stored = await faked.store.read(lambda r: sessions.stored_turn(r, row.id))
    assert stored == turn.encode()


async def test_a_second_try_after_a_crash_keeps_what_was_said_meanwhile(
    faked: Resources, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    row = await add_run(faked, about, asks("Tea"))
    record = await begin_turn(faked, row, "Tea")
    sent = [SentMessage(prompt="Green", text="Green")]
    text = msgspec.structs.replace(record, messages=sent).encode()
    await faked.store.write(lambda tx: sessions.keep_turn(tx, row.id, text))
    await start(faked, row, about)
    assert await faked.store.read(lambda r: steering.sent_messages(r, row.id)) == sent


@pytest.mark.parametrize(
    ("context", "keep", "left_running"),
    [
        (ScriptContext.SETUP, True, LeftRunning.KEEP),
        (ScriptContext.SETUP, False, LeftRunning.REPORT),
        (ScriptContext.CLEANUP, True, LeftRunning.REPORT),
        (ScriptContext.DEV_SERVER, True, LeftRunning.END),
    ],
)
async def test_what_a_script_leaves_running_is_kept_told_or_ended(
    faked: Resources,
    launcher: FakeLauncher,
    repository: Path,
    context: ScriptContext,
    keep: bool,
    left_running: LeftRunning,
) -> None:
    project = await add_project(faked, repository, keep_services=keep)
    about = await add_attempt(faked, project)
    row = await add_run(faked, about, runs_script("echo 1\r\necho 2\r\n", context))
    started = await start(faked, row, about)
    launch = launcher.started[row.id]
    assert started.turn_record is None
    assert launch.left_running is left_running
    assert "\r" not in launch.argv[-1]
    assert ("PORT" in launch.env) == (context is ScriptContext.DEV_SERVER)


async def test_what_waited_to_be_told_is_in_the_log_once(
    faked: Resources, launcher: FakeLauncher, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    await remarks.leave(faked, about.attempt.id, ["The kettle is cold."])
    row = await add_run(faked, about, asks())
    await start(faked, row, about)
    [note] = launcher.notes[row.id]
    assert b"The kettle is cold." in note
    assert await remarks.read_waiting(faked, about.attempt.id) == []


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (Unavailable("No room."), Unavailable),
        (OSError(28, "No space left on device", "/spool"), Unavailable),
        (RuntimeError("a bug of ours"), NotStarted),
        (ProgramMissing("claude", ["/usr/bin"], "Install it."), ProgramMissing),
    ],
)
async def test_whatever_a_start_fails_of_the_row_is_final_and_its_log_says_why(
    faked: Resources,
    launcher: FakeLauncher,
    repository: Path,
    error: Exception,
    refusal: type[AnyondError],
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    row = await add_run(faked, about, asks())
    launcher.error = error
    with pytest.raises(refusal) as raised:
        await start(faked, row, about)
    assert (await final(faked, row)).status is ProcessStatus.FAILED
    assert str(raised.value) in log_of(faked, row)
    task = await faked.store.read(lambda r: tasks.get(r, about.task.id))
    assert task.status is TaskStatus.IN_REVIEW


async def test_a_stop_before_the_start_is_no_failure(
    faked: Resources, launcher: FakeLauncher, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    row = await add_run(faked, about, asks())
    with pytest.raises(Stopped):
        await start(faked, row, about, go_on=lambda: False)
    assert launcher.started == {}
    assert (await final(faked, row)).status is ProcessStatus.KILLED


async def test_a_dev_server_that_does_not_start_leaves_task_and_agent_alone(
    faked: Resources, launcher: FakeLauncher, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    agent = await add_run(faked, about, asks())
    row = await add_run(faked, about, runs_script("serve", ScriptContext.DEV_SERVER))
    launcher.error = Unavailable("No room.")
    with pytest.raises(Unavailable):
        await start(faked, row, about)
    assert (await final(faked, row)).status is ProcessStatus.FAILED
    assert (await final(faked, agent)).status is ProcessStatus.RUNNING
    task = await faked.store.read(lambda r: tasks.get(r, about.task.id))
    assert task.status is TaskStatus.IN_PROGRESS


async def test_a_row_that_is_final_already_is_not_ended_again(
    faked: Resources, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    row = await add_run(faked, about, asks())

    def finished(tx: Tx) -> None:
        processes.finish(
            tx, row.id, ProcessStatus.COMPLETED, exit_code=0, after_head_commit=None, at=now()
        )

    await faked.store.write(finished)
    await run.fail_start(faked, row, about, Unavailable("Too late."))
    found = await final(faked, row)
    assert (found.status, found.exit_code) == (ProcessStatus.COMPLETED, 0)


async def test_the_subject_of_an_attempt_without_a_worktree_has_none(
    faked: Resources, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository), made=False)
    read = await subject.read(faked, about.attempt.id)
    assert read == about
    with pytest.raises(AnyondError):
        _ = read.worktree


async def test_what_is_queued_for_after_a_start_that_fails_is_a_draft_again(
    faked: Resources, launcher: FakeLauncher, repository: Path
) -> None:
    about = await add_attempt(faked, await add_project(faked, repository))
    row = await add_run(faked, about, asks())

    def queued(tx: Tx) -> None:
        patch = DraftPatch(prompt="And sugar")
        drafts.save(tx, about.attempt.id, DraftType.FOLLOW_UP, patch, now())
        drafts.queue(tx, about.attempt.id, QueueWish(queued=True), now())

    await faked.store.write(queued)
    launcher.error = Unavailable("No room.")
    with pytest.raises(Unavailable):
        await start(faked, row, about)
    draft = await faked.store.read(lambda r: drafts.get(r, about.attempt.id, DraftType.FOLLOW_UP))
    assert (draft.prompt, draft.queued) == ("And sugar", False)
