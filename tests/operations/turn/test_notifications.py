"""What is told of a run: sentences in its log, sounds and messages to a person, and backups."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from anyond.files.desktop_notifier import DesktopNotifier
from anyond.logs import archive
from anyond.model.rows import ProcessStatus
from anyond.operations import backup
from anyond.operations.resources import Resources
from anyond.operations.run import archives
from anyond.operations.subject import Subject
from anyond.operations.turn import left_running, notifications
from anyond.operations.turn.end_reason import ENTRIES, add_remark, write_reason
from anyond.store.engine import backup as copies
from tests.support.operations.fake_notifier import FakeNotifier, make_desktop
from tests.support.rows import add_attempt, add_project, add_run, asks, end_run


@pytest.fixture
async def about(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository), made=False)


async def test_a_reason_is_in_both_logs_after_what_was_there(
    resources: Resources, about: Subject
) -> None:
    row = await add_run(resources, about, asks())
    resources.launcher.spool(row.id).path.mkdir(parents=True)
    await write_reason(resources, row, "The kettle broke.")
    await write_reason(resources, row, "So did the cup.")
    spool = resources.launcher.spool(row.id)
    assert b"The kettle broke." in (spool.path / "log").read_bytes()
    path = spool.path / ENTRIES
    assert archive.is_whole(path, row.id)
    with path.open("rb") as file:
        frames = [frame for frame in map(archive.decode, file) if frame is not None]
    assert [frame.index for frame in frames] == [0, 1]
    assert [frame.seq for frame in frames] == sorted({frame.seq for frame in frames})
    assert b"kettle" in frames[0].entry
    assert b"cup" in frames[1].entry


async def test_an_archive_that_is_damaged_is_made_anew_from_the_log(
    resources: Resources, about: Subject
) -> None:
    row = await add_run(resources, about, asks())
    spool = resources.launcher.spool(row.id)
    spool.path.mkdir(parents=True)
    await write_reason(resources, row, "The kettle broke.")
    row = await end_run(resources, row, ProcessStatus.FAILED)
    path = spool.path / ENTRIES
    whole = path.read_bytes()
    for damaged in (b"", whole[:-5], whole.replace(b"kettle", b"teapot")):
        path.write_bytes(damaged)
        assert not archive.is_whole(path, row.id)
        await archives.repair(resources.store, resources.launcher, row)
        assert archive.is_whole(path, row.id)
        assert b"kettle" in path.read_bytes()


async def test_a_whole_archive_is_left_as_it_is(resources: Resources, about: Subject) -> None:
    row = await add_run(resources, about, asks())
    spool = resources.launcher.spool(row.id)
    spool.path.mkdir(parents=True)
    await write_reason(resources, row, "The kettle broke.")
    row = await end_run(resources, row, ProcessStatus.FAILED)
    add_remark(resources, row, "Not archived.")
    before = (spool.path / ENTRIES).stat().st_mtime_ns
    await archives.repair(resources.store, resources.launcher, row)
    assert (spool.path / ENTRIES).stat().st_mtime_ns == before


def test_what_was_left_running_is_named_within_bounds() -> None:
    one = left_running.remark(["sleep  \x1b[31m 1000"])
    assert "has left 1 process running" in one.text
    assert "\x1b" not in one.text
    many = left_running.remark([f"server {number} {'x' * 1000}" for number in range(25)])
    assert "has left 25 processes running" in many.text
    assert many.text.endswith("… 15 more")
    assert max(map(len, many.text.splitlines())) < 400


@pytest.fixture
def programs(about: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desktop whose programs do nothing, once the attempt is there."""
    del about
    monkeypatch.setenv("PATH", str(make_desktop(tmp_path / "bin")))


async def notified(
    resources: Resources, about: Subject, status: ProcessStatus, **settings: Any
) -> list[str]:
    resources.config.patch({"notifications": settings})
    notifier = FakeNotifier()
    faked = replace(resources, notifier=cast("DesktopNotifier", notifier))
    await notifications.notify(faked, about, status)
    return [Path(command[0]).name for command in notifier.commands]


@pytest.mark.parametrize(
    ("status", "push", "sound", "programs_run"),
    [
        (ProcessStatus.COMPLETED, True, True, ["notify-send", "paplay"]),
        (ProcessStatus.FAILED, False, True, ["paplay"]),
        (ProcessStatus.KILLED, True, True, ["notify-send"]),
        (ProcessStatus.COMPLETED, False, False, []),
    ],
)
async def test_a_person_is_told_as_they_wish(
    resources: Resources,
    about: Subject,
    programs: None,
    status: ProcessStatus,
    push: bool,
    sound: bool,
    programs_run: list[str],
) -> None:
    found = await notified(resources, about, status, push_enabled=push, sound_enabled=sound)
    assert found == programs_run


async def test_a_sound_that_cannot_be_written_is_no_failure(
    resources: Resources, about: Subject, programs: None
) -> None:
    (resources.paths.data_dir / "sounds").write_text("in the way")
    found = await notified(
        resources, about, ProcessStatus.COMPLETED, push_enabled=False, sound_enabled=True
    )
    assert found == []


async def test_a_backup_is_made_and_one_that_cannot_be_made_is_no_failure(
    resources: Resources, about: Subject
) -> None:
    await backup.make(resources)
    path = copies.newest(resources.paths.database)
    with sqlite3.connect(path) as copy:
        assert copy.execute("SELECT count(*) FROM task_attempts").fetchone() == (1,)
    before = path.read_bytes()
    half = resources.paths.database.with_name(f"{path.name}.half")
    half.mkdir()
    await backup.make(resources)
    assert path.read_bytes() == before
