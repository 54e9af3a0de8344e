"""What goes is what a row says; what no row is about stays, is reported, and is set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from anyond.model.ids import new_id, now, timestamp
from anyond.operations.resources import Resources
from anyond.operations.workspace import images as image_operations
from anyond.operations.workspace import removal
from anyond.operations.workspace.unknown_files import SET_ASIDE_AFTER
from anyond.store.board import images
from anyond.store.engine import backup
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.upkeep import days, expiries, gone_files
from tests.support.operations.attempts import attempt
from tests.support.store.seeds import add_process, end_process


def spool(resources: Resources, name: str, text: str = "log") -> Path:
    path = resources.launcher.root / name
    path.mkdir()
    (path / "log").write_text(text)
    return path


def image(resources: Resources, name: str) -> Path:
    path = resources.images.path(name)
    path.write_text("picture")
    return path


async def clean_up(resources: Resources, day: int) -> list[Any]:
    with capture_logs() as logs:
        await removal.clean_up(resources, day)
        await image_operations.clean_up(resources, day)
    return [entry for entry in logs if entry["log_level"] == "warning"]


async def test_the_spool_of_a_deleted_process_goes_and_no_other(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    process = new_id()

    def work(tx: Tx) -> None:
        add_process(tx, process, about.attempt.id)
        end_process(tx, process)

    await resources.store.write(work)
    mine, other = spool(resources, process), spool(resources, new_id())
    await removal.delete_task(resources, about.task.id)
    await clean_up(resources, 1)
    assert not mine.exists()
    assert other.exists()
    assert await resources.store.read(lambda r: gone_files.names(r, "spool")) == set()


async def test_files_without_rows_are_reported_once_and_set_aside_after_thirty_days(
    resources: Resources,
) -> None:
    # As after the restoring of yesterday's backup: files of rows that are not there.
    started, never_started = spool(resources, new_id()), spool(resources, new_id())
    (started / "run.json").write_text("{}")
    (never_started / "log").unlink()
    picture = image(resources, "0" * 32 + ".png")
    told = await clean_up(resources, 5)
    assert [(entry["kind"], entry["count"]) for entry in told] == [("spool", 2), ("image", 1)]
    assert await clean_up(resources, 5) == []
    assert await clean_up(resources, 5 + SET_ASIDE_AFTER - 1) == []
    assert started.exists()
    assert never_started.exists()
    assert picture.exists()
    told = await clean_up(resources, 5 + SET_ASIDE_AFTER)
    assert [entry["event"] for entry in told] == ["set_aside"] * 3
    aside = resources.paths.set_aside
    assert (aside / "executions" / started.name / "run.json").exists()
    assert (aside / "executions" / never_started.name).exists()
    assert (aside / "images" / picture.name).read_text() == "picture"
    assert not started.exists()
    assert await clean_up(resources, 5 + SET_ASIDE_AFTER) == []


async def test_a_file_whose_row_comes_back_stays_and_is_counted_anew(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    process = new_id()
    path = spool(resources, process)
    await clean_up(resources, 1)
    await resources.store.write(lambda tx: add_process(tx, process, about.attempt.id))
    await clean_up(resources, 100)
    assert path.exists()


async def test_a_restored_backup_deletes_nothing_that_is_newer(
    resources: Resources, repository: Path
) -> None:
    about = await attempt(resources, repository)
    earlier = image(resources, "1" * 32 + ".png")

    def delete_an_image(tx: Tx) -> None:
        add_image(tx, earlier.name)
        images.delete(tx, "i")

    await resources.store.write(delete_an_image)
    backup.make(resources.paths.database)
    copy = backup.newest(resources.paths.database)
    # From here on the backup knows nothing: the same picture again, a process, its worktree.
    later = new_id()
    path = spool(resources, later)
    target = resources.paths.data_dir / "copy.db"
    copy.rename(target.with_name("copy.db.daily.bak"))
    backup.restore(target)
    async with Store.open(target) as store:
        assert await store.read(lambda r: gone_files.names(r, "image")) == set()
        restored = replace(resources, store=store)
        await clean_up(restored, 1)
    assert earlier.exists()
    assert path.exists()
    assert about.worktree.exists()


def add_image(tx: Tx, name: str, used_at: str | None = None) -> None:
    images.insert(
        tx,
        id="i",
        file_name=name,
        original_name="a.png",
        mime_type="image/png",
        size_bytes=7,
        hash=f"sha256:{name}",
        now=used_at or now(),
    )


@pytest.mark.parametrize("jump", [True, False])
async def test_a_jump_of_the_clock_deletes_no_image_and_no_snapshots(
    resources: Resources, repository: Path, jump: bool
) -> None:
    about = await attempt(resources, repository)
    path = image(resources, "2" * 32 + ".png")
    await resources.store.write(lambda tx: add_image(tx, path.name, timestamp(0)))
    await removal.delete_task(resources, about.task.id)
    for date in ["2025-01-08", "2065-01-08"] if jump else [f"2025-01-{d:02}" for d in range(1, 32)]:
        day, _ = await resources.store.write(lambda tx, date=date: days.count(tx, date))  # type: ignore[misc]
        await clean_up(resources, day)
    due = await resources.store.read(lambda r: expiries.due(r, "9999"))
    assert (len(due), path.exists()) == ((0, True) if jump else (1, False))


async def test_an_upload_that_goes_on_stays_and_one_of_a_crash_goes(resources: Resources) -> None:
    left = image(resources, ".incoming-0123456789abcdef")
    with resources.images.incoming() as upload:
        await clean_up(resources, 1)
        assert upload.path.exists()
    assert not left.exists()
