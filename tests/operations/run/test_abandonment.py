"""Ending a run that cannot be looked after: its row becomes final, whatever is in the way."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import trio
from msgspec.structs import replace

from anyond.files.desktop_notifier import DesktopNotifier
from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.errors import Unavailable
from anyond.model.ids import now
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ExecutionProcess, ProcessStatus, ScriptContext, TaskStatus
from anyond.operations.resources import Resources
from anyond.operations.run import abandonment
from anyond.operations.subject import Subject
from anyond.operations.workspace import git_programs
from anyond.procs.shims.launcher import Alive
from anyond.store.board import drafts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import launches, processes
from tests.support.operations.fake_notifier import FakeNotifier, make_desktop
from tests.support.overlay import overlaid
from tests.support.rows import add_attempt, add_project, add_run, asks, end_run, runs_script
from tests.support.store.running_rows import started, told

KEY = "k" * 64


@dataclass
class Bench:
    resources: Resources
    about: Subject
    notifier: FakeNotifier

    async def row(self, row: ExecutionProcess) -> ExecutionProcess:
        return await self.resources.store.read(lambda r: processes.get(r, row.id))

    async def task_status(self) -> TaskStatus:
        task_id = self.about.task.id
        return (await self.resources.store.read(lambda r: tasks.get(r, task_id))).status

    async def draft(self) -> tuple[str, bool]:
        attempt_id = self.about.attempt.id
        found = await self.resources.store.read(
            lambda r: drafts.get(r, attempt_id, DraftType.FOLLOW_UP)
        )
        return found.prompt, found.queued

    async def stop(self, row: ExecutionProcess) -> None:
        await self.resources.store.write(lambda tx: processes.request_stop(tx, row.id, "x", now()))

    async def start(self, row: ExecutionProcess, script: str) -> None:
        await started(self.resources, row, script, KEY)
        await self.resources.store.write(lambda tx: launches.record(tx, row.id, KEY, now()))

    async def until_ended(self, row: ExecutionProcess) -> None:
        with trio.fail_after(60):
            while isinstance(self.resources.launcher.look(row.id), Alive):
                await trio.sleep(0.01)  # looked at again, until the deadline


@pytest.fixture
async def bench(
    resources: Resources, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    desktop = make_desktop(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{desktop}:{os.environ['PATH']}")
    resources.config.patch({"notifications": {"push_enabled": True, "sound_enabled": False}})
    notifier = FakeNotifier()
    faked = replace(resources, notifier=cast("DesktopNotifier", notifier))
    return Bench(faked, await add_attempt(faked, await add_project(faked, repository)), notifier)


@pytest.mark.parametrize("stopped", [True, False])
async def test_a_run_that_never_started_is_failed_or_killed_and_the_person_learns_why(
    bench: Bench, stopped: bool
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    if stopped:
        await bench.stop(row)
    await abandonment.end_run(bench.resources, row, "The kettle broke.")
    ended = await bench.row(row)
    assert ended.status is (ProcessStatus.KILLED if stopped else ProcessStatus.FAILED)
    assert (ended.exit_code, ended.after_head_commit) == (None, None)
    assert told(bench.resources, row).count("The kettle broke.") == 3  # output, note, entry
    assert await bench.task_status() is TaskStatus.IN_REVIEW
    [command] = bench.notifier.commands
    assert ("was stopped" if stopped else "failed") in command[-1]


async def test_what_was_sent_and_what_was_queued_are_drafts_afterwards(bench: Bench) -> None:
    attempt_id = bench.about.attempt.id
    row = await add_run(bench.resources, bench.about, asks("Sent", "s"))

    def sent(tx: Tx) -> None:
        drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, DraftPatch(prompt="Sent"), now())
        drafts.take(tx, attempt_id, row.id, now())

    await bench.resources.store.write(sent)
    await abandonment.end_run(bench.resources, row, "Why.")
    assert await bench.draft() == ("Sent", False)

    def queued(tx: Tx) -> None:
        drafts.save(tx, attempt_id, DraftType.FOLLOW_UP, DraftPatch(prompt="Queued"), now())
        drafts.queue(tx, attempt_id, QueueWish(queued=True), now())

    other = await add_run(bench.resources, bench.about, asks())
    await bench.resources.store.write(queued)
    await abandonment.end_run(bench.resources, other, "Why.")
    assert await bench.draft() == ("Queued", False)


async def test_a_dev_server_that_is_given_up_leaves_the_task_to_its_agent(bench: Bench) -> None:
    await add_run(bench.resources, bench.about, asks())
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.DEV_SERVER))
    await abandonment.end_run(bench.resources, row, "Why.")
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert await bench.task_status() is TaskStatus.IN_PROGRESS
    assert bench.notifier.commands == []


async def test_a_run_that_is_final_stays_as_it_is_and_nobody_is_told_again(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    await end_run(bench.resources, row)
    await abandonment.end_run(bench.resources, row, "Why.")
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0)
    assert await bench.task_status() is TaskStatus.IN_PROGRESS
    assert bench.notifier.commands == []


async def test_a_program_that_lives_is_ended_in_good_order_and_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandonment, "KILL_S", 1000.0)
    row = await add_run(bench.resources, bench.about, asks())
    await bench.start(row, "echo started; exec sleep 600")
    with trio.fail_after(30):
        await abandonment.end_run(bench.resources, row, "Why.")
    assert not isinstance(bench.resources.launcher.look(row.id), Alive)
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    # The shim has written the end itself, so it was asked to, and not ended from outside.
    exit_ = bench.resources.launcher.spool(row.id).exit()
    assert exit_ is not None
    assert exit_.signal == 9
    assert exit_.error is None


async def test_a_shim_that_cannot_be_reached_is_ended_from_outside(bench: Bench) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Unavailable("It does not answer.")

    launcher = overlaid(bench.resources.launcher, attach=refuse)
    row = await add_run(bench.resources, bench.about, asks())
    await bench.start(row, "exec sleep 600")
    await abandonment.end_run(replace(bench.resources, launcher=launcher), row, "Lost.")
    assert not isinstance(bench.resources.launcher.look(row.id), Alive)
    assert (await bench.row(row)).status is ProcessStatus.FAILED


async def test_the_exit_code_of_a_program_that_has_ended_is_kept(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    await bench.start(row, "exit 3")
    await bench.until_ended(row)
    await abandonment.end_run(bench.resources, row, "Why.")
    assert (await bench.row(row)).exit_code == 3


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), Busy.ending()])
async def test_a_program_that_nothing_ends_does_not_keep_its_row_running(
    bench: Bench, error: Exception
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    launcher = overlaid(bench.resources.launcher, finalize_lost=fail)
    row = await add_run(bench.resources, bench.about, asks())
    await bench.start(row, "exit 3")
    await bench.until_ended(row)
    await abandonment.end_run(replace(bench.resources, launcher=launcher), row, "Why.")
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.FAILED, None)


async def test_a_log_that_cannot_be_written_does_not_keep_the_row_running(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    bench.resources.launcher.spool(row.id).path.write_text("in the way")
    await abandonment.end_run(bench.resources, row, "Why.")
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert len(bench.notifier.commands) == 1


async def test_only_what_passes_by_itself_keeps_a_row_running(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Exception] = [Unavailable("No room."), RuntimeError("a bug of ours")]

    async def fail(*_: object) -> None:
        raise raised[0]

    monkeypatch.setattr(git_programs, "end", fail)
    row = await add_run(bench.resources, bench.about, asks())
    with pytest.raises(Unavailable, match="No room"):
        await abandonment.end_run(bench.resources, row, "Why.")
    assert (await bench.row(row)).status is ProcessStatus.RUNNING
    del raised[0]
    await abandonment.end_run(bench.resources, row, "Why.")
    assert (await bench.row(row)).status is ProcessStatus.FAILED


async def test_an_attempt_without_a_worktree_is_given_up_without_a_look_at_git(
    bench: Bench, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise Unavailable("There is no worktree.")

    monkeypatch.setattr(git_programs, "end", fail)
    project = bench.about.project
    about = await add_attempt(bench.resources, project, branch="anyon/y", made=False)
    row = await add_run(bench.resources, about, asks())
    await abandonment.end_run(bench.resources, row, "Why.")
    assert (await bench.row(row)).status is ProcessStatus.FAILED


async def test_of_all_that_runs_each_is_given_up_whatever_becomes_of_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = runs_script("x", ScriptContext.DEV_SERVER)
    rows = [await add_run(bench.resources, bench.about, action) for action in (asks(), serve)]
    first, second = await bench.resources.store.read(
        lambda r: processes.running_of(r, bench.about.attempt.id)
    )
    end = git_programs.end

    async def fail(resources: Resources, about: Subject, row: ExecutionProcess) -> object:
        if row.id == first.id:
            raise Unavailable("No room.")
        return await end(resources, about, row)

    monkeypatch.setattr(git_programs, "end", fail)
    await abandonment.end_all(bench.resources, bench.about.attempt.id, "Again and again.")
    assert (await bench.row(first)).status is ProcessStatus.RUNNING
    assert (await bench.row(second)).status is ProcessStatus.FAILED
    assert {first.id, second.id} == {row.id for row in rows}
    assert "Again and again." in told(bench.resources, second)
