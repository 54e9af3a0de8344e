"""What no row is about is named once when a daemon starts, and stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from anyond.git.snapshots import snapshot_refs, snapshots
from anyond.model.ids import new_id
from anyond.operations.resources import Resources
from anyond.operations.workspace import removal, unowned
from anyond.procs.shims.shim_state import Lock
from anyond.store.upkeep import cleanups
from anyond.watchers.janitor import Janitor
from tests.support.operations.attempts import attempt


async def report(resources: Resources) -> list[Any]:
    with capture_logs() as logs:
        await unowned.report(resources)
    return [entry for entry in logs if entry["log_level"] == "warning"]


async def test_a_worktree_without_a_row_is_named_and_stays(
    resources: Resources, repository: Path
) -> None:
    subject = await attempt(resources, repository)
    assert await report(resources) == []
    stray = subject.worktree.parent / "stray"
    stray.mkdir()
    (stray / "work").write_text("of an attempt that a restored backup does not have")
    name = f"{stray.parent.name}/stray"
    [reported] = await report(resources)
    assert (reported["event"], reported["kind"], reported["some"]) == (
        "unknown_files",
        "worktree",
        [name],
    )
    assert (stray / "work").exists()
    await removal.delete_task(resources, subject.task.id)
    assert [entry["some"] for entry in await report(resources)] == [[name]]


async def test_snapshots_of_nobody_are_named_and_stay(
    resources: Resources, repository: Path
) -> None:
    subject = await attempt(resources, repository)
    outsider = new_id()
    await snapshots.take(repository, subject.worktree, subject.attempt.id, "delete")
    assert await report(resources) == []
    await snapshots.take(repository, subject.worktree, outsider, "delete")
    [reported] = await report(resources)
    assert (reported["event"], reported["kind"], reported["some"]) == (
        "unknown_files",
        "snapshot",
        [outsider],
    )
    await removal.delete_task(resources, subject.task.id)
    assert [entry["some"] for entry in await report(resources)] == [[outsider]]
    assert len(await snapshot_refs.list_snapshots(repository, outsider)) == 1


async def test_a_program_at_work_without_a_row_is_named(resources: Resources) -> None:
    over, at_work = new_id(), new_id()
    for name in (over, at_work):
        (resources.launcher.root / name).mkdir()
    (resources.launcher.root / at_work / "lock").touch()
    with Lock(resources.launcher.root / at_work) as shim:
        assert shim.taken()
        [reported] = await report(resources)
    assert (reported["event"], reported["some"]) == ("unknown_programs", [at_work])
    assert await report(resources) == []


async def test_what_is_unknown_is_named_at_the_start_and_at_no_deletion(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyond.watchers.janitor.time.time", lambda: 0.0)
    subject = await attempt(resources, repository)
    (subject.worktree.parent / "stray").mkdir()
    janitor = Janitor(resources)
    with capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(janitor.run)
            with trio.fail_after(60):
                while not logs:
                    await trio.sleep(0.01)
                await removal.delete_task(resources, subject.task.id)
                janitor.wake()
                while await resources.store.read(cleanups.fetch_all):
                    await trio.sleep(0.01)
                janitor.wake()
                await trio.testing.wait_all_tasks_blocked(0.05)
            nursery.cancel_scope.cancel()
    assert [entry["kind"] for entry in logs if entry["event"] == "unknown_files"] == ["worktree"]
