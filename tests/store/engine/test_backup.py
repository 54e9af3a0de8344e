"""The daily copy of the database, and the way back from a damaged one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from anyond.cli import main
from anyond.host.app_paths import AppPaths
from anyond.host.lock import sole_daemon
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import NotFound
from anyond.store.engine import backup, migrate
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import trouble
from anyond.store.upkeep import days


async def write(store: Store, value: str) -> None:
    put = "INSERT OR REPLACE INTO meta (key, value) VALUES ('test', ?)"
    await store.write(lambda tx: tx.execute(put, (value,)))


def read(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT value FROM meta WHERE key = 'test'").fetchone()[0])


def damage(path: Path, table: str = "meta") -> None:
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(path)) as connection:
        ask = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = connection.execute(ask, (table,)).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


async def test_two_copies_are_kept_of_a_database_in_use(path: Path) -> None:
    async with Store.open(path) as store:
        for value in ("one", "two", "three"):
            await write(store, value)
            made = backup.make(path)
            assert made.stat().st_mode & 0o777 == 0o600
            assert read(made) == value
        await write(store, "later")
    saved = [one.path for one in backup.all_of(path)]
    assert sorted(map(read, saved)) == ["three", "two"]
    assert {file.name for file in path.parent.iterdir()} == {path.name, *(k.name for k in saved)}


async def test_a_damaged_page_is_told_with_the_way_back_and_takes_no_good_copy_away(
    path: Path,
) -> None:
    async with Store.open(path) as store:
        for value in ("one", "two"):
            await write(store, value)
            backup.make(path)
    damage(path)
    for _ in range(3):
        with pytest.raises(Unavailable, match="could not be backed up"):
            backup.make(path)
    assert sorted(read(one.path) for one in backup.all_of(path)) == ["one", "two"]
    reported = rf"is damaged.*{path.name}\.daily\.bak of 20.*`anyon restore-backup`"
    with pytest.raises(Unavailable, match=reported):
        async with Store.open(path):
            pass
    damaged = path.read_bytes()
    restored, saved = backup.restore(path)
    assert restored.path == backup.newest(path)
    assert saved is not None
    assert saved.read_bytes() == damaged
    assert path.stat().st_mode & 0o777 == 0o600
    async with Store.open(path) as store:
        await write(store, "goes on")
    assert read(path) == "goes on"


async def test_a_large_database_is_checked_when_it_was_not_closed_in_good_order(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_ALWAYS_CHECKED_BYTES", 0)
    async with Store.open(path) as store:
        await write(store, "one")
    damage(path, "tasks")
    async with Store.open(path) as store:  # too large to look through it at each start
        await write(store, "in the log")
        log, base = Path(f"{path}-wal").read_bytes(), path.read_bytes()
    path.write_bytes(base)
    Path(f"{path}-wal").write_bytes(log)
    with pytest.raises(Unavailable, match="damaged"):
        async with Store.open(path):
            pass


async def test_a_damaged_page_that_is_met_at_work_is_told_with_the_way_back(path: Path) -> None:
    async with Store.open(path) as store:
        await write(store, "x")
    damage(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.Error) as error:
        connection.execute("SELECT value FROM meta").fetchall()
    assert "`anyon restore-backup`" in str(trouble(error.value))


async def test_a_copy_that_is_damaged_itself_is_passed_over(path: Path) -> None:
    async with Store.open(path) as store:
        for value in ("one", "two"):
            await write(store, value)
            backup.make(path)
    backup.newest(path).write_bytes(b"garbage" * 1000)
    restored, _ = backup.restore(path)
    assert restored.path != backup.newest(path)
    assert read(path) == "one"
    with pytest.raises(NotFound):
        backup.restore(path, Path("nothing.bak"))
    with pytest.raises(NotFound, match="elsewhere"):
        backup.restore(path, Path("/elsewhere") / restored.path.name)
    assert read(path) == "one"
    assert backup.restore(path, restored.path)[0].path == restored.path


async def test_what_the_log_of_the_former_database_held_is_kept_with_it(path: Path) -> None:
    async with Store.open(path) as store:
        await write(store, "one")
        backup.make(path)
        await write(store, "in the log")
        # As if the daemon had been killed: the log stays.
        log = Path(f"{path}-wal").read_bytes()
        base = path.read_bytes()
    path.write_bytes(base)
    Path(f"{path}-wal").write_bytes(log)
    _, saved = backup.restore(path)
    assert saved is not None
    assert read(path) == "one"
    assert read(saved) == "in the log"


async def test_a_database_that_is_missing_is_not_begun_anew_beside_its_copies(path: Path) -> None:
    async with Store.open(path) as store:
        await write(store, "one")
        backup.make(path)
    path.unlink()
    with pytest.raises(Unavailable, match=r"is missing.*`anyon restore-backup`"):
        async with Store.open(path):
            pass
    assert not path.exists()
    backup.restore(path)
    assert read(path) == "one"


async def test_the_command_restores_lists_and_refuses_while_a_daemon_runs(tmp_path: Path) -> None:
    paths = AppPaths.under(tmp_path / "anyon")
    paths.create()
    async with Store.open(paths.database) as store:
        await write(store, "one")
        backup.make(paths.database)
        await write(store, "two")
    environment = {
        "ANYON_DATA_DIR": str(paths.data_dir),
        "ANYON_CONFIG_DIR": str(paths.config_dir),
        "ANYON_RUNTIME_DIR": str(paths.runtime_dir),
    }
    runner = CliRunner(env=environment)
    elsewhere = environment | {"ANYON_DATA_DIR": str(paths.data_dir / "elsewhere")}
    none = CliRunner(env=elsewhere).invoke(main, ["restore-backup", "--list"])
    assert none.output.startswith("There is no backup beside ")
    with sole_daemon(paths.lock):
        refused = runner.invoke(main, ["restore-backup"])
    assert refused.exit_code == 3
    assert "already running" in refused.output
    assert read(paths.database) == "two"
    listed = runner.invoke(main, ["restore-backup", "--list"])
    assert listed.output.startswith("anyon.db.daily.bak  20")
    done = runner.invoke(main, ["restore-backup"])
    assert done.exit_code == 0
    assert "anyon.db.replaced-1" in done.output
    assert read(paths.database) == "one"
    assert runner.invoke(main, ["restore-backup", "other.bak"]).exit_code == 1
    assert os.listdir(paths.data_dir).count("anyon.db.replaced-1") == 1


async def test_a_jump_of_the_clock_counts_one_day(store: Store) -> None:
    async def count(date: str) -> tuple[int, bool]:
        return await store.write(lambda tx: days.count(tx, date))

    assert await count("2025-01-08") == (1, True)
    assert await count("2025-01-08") == (1, False)
    assert await count("2065-01-08") == (2, True)
    assert await count("1970-01-01") == (3, True)
    assert await store.read(days.current) == 3


async def test_half_a_copy_that_a_killed_daemon_has_left_is_in_nobodys_way(path: Path) -> None:
    async with Store.open(path) as store:
        await write(store, "one")
        path.with_name(f"{path.name}.daily.bak.half").write_bytes(b"half of it")
        path.with_name(f"{path.name}.half").write_bytes(b"half of it")
        assert read(backup.make(path)) == "one"
    backup.restore(path)
    assert read(path) == "one"
    assert list(path.parent.glob("*.half")) == []


async def test_a_restored_database_does_not_say_which_files_may_be_deleted(path: Path) -> None:
    async with Store.open(path) as store:
        put = "INSERT INTO gone (kind, name) VALUES ('spool', 'of a later row')"
        await store.write(lambda tx: tx.execute(put))
        backup.make(path)
    backup.restore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM gone").fetchall() == []


def test_without_a_whole_copy_nothing_is_restored(path: Path) -> None:
    newest = backup.newest(path)
    newest.write_bytes(b"damaged" * 1000)
    with pytest.raises(NotFound, match="whole backup"):
        backup.restore(path)
    assert not path.exists()
    assert list(path.parent.glob("*.half")) == []


async def test_copies_leave_no_descriptor_open(path: Path) -> None:
    async with Store.open(path) as store:
        await write(store, "one")
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        backup.make(path)
    assert len(os.listdir("/dev/fd")) == before
