"""A file becomes current, or is refused in plain words and left alone."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from anyond.model.errors import Unavailable
from anyond.store.engine.database import Store
from anyond.store.engine.migrate import Migration, make_current, migrations

CORE = migrations()[0]
TAGS = Migration(2, "tags", "CREATE TABLE tags (name TEXT); INSERT INTO tags VALUES ('old');")
BROKEN = Migration(
    3, "broken", "CREATE TABLE more (n); DROP TABLE meta; INSERT INTO nowhere VALUES (1)"
)


def migrate(path: Path, steps: list[Migration]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        make_current(connection, path, steps)


def ask(path: Path, sql: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_the_steps_are_numbered_from_one_on_each_once() -> None:
    versions = [step.version for step in migrations()]
    assert versions[0] == 1
    assert versions == sorted(set(versions))


async def test_a_new_database_is_current_private_and_has_no_backup(path: Path) -> None:
    async with Store.open(path) as store:
        assert await store.read(lambda r: r.execute("PRAGMA user_version").fetchone()) == (
            migrations()[-1].version,
        )
        modes = {file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        assert modes == {0o600}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@contextmanager
def full(most: int) -> Iterator[None]:
    """No file can grow beyond `most` bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_said_to_be_full_and_the_database_not_to_be_broken(
    path: Path,
) -> None:
    async with Store.open(path):
        pass
    with full(1024), pytest.raises(Unavailable, match="its disk is full"):
        async with Store.open(path):
            pytest.fail("it needs a file beside it")
    async with Store.open(path):
        pass


def test_without_room_for_the_backup_no_step_is_made_and_no_half_copy_stays(path: Path) -> None:
    migrate(path, [CORE])
    with full(8192), pytest.raises(Unavailable, match=r"copy anyon.db.schema-1.bak .*unchanged"):
        migrate(path, [CORE, TAGS])
    assert ask(path, "PRAGMA user_version") == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    migrate(path, [CORE, TAGS])
    assert ask(path, "SELECT name FROM tags") == "old"


def test_a_step_forward_keeps_a_backup_of_what_was_there(path: Path) -> None:
    migrate(path, [CORE])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO meta VALUES ('who', 'me')")
    migrate(path, [CORE, TAGS])
    assert ask(path, "SELECT name FROM tags") == "old"
    assert ask(path, "PRAGMA user_version") == 2
    backup = path.with_name("anyon.db.schema-1.bak")
    assert ask(backup, "SELECT value FROM meta") == "me"
    assert ask(backup, "PRAGMA user_version") == 1
    assert ask(backup, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'tags'") == 0
    assert backup.stat().st_mode & 0o777 == 0o600


def step(version: int) -> Migration:
    return Migration(version, f"step_{version}", f"CREATE TABLE step_{version} (n);")


def test_an_upgrade_of_many_steps_keeps_one_backup_of_what_it_began_with(path: Path) -> None:
    migrate(path, [CORE])
    migrate(path, [CORE, TAGS, step(3), step(4)])
    assert ask(path, "PRAGMA user_version") == 4
    assert {file.name for file in path.parent.iterdir()} == {path.name, "anyon.db.schema-1.bak"}
    assert ask(path.with_name("anyon.db.schema-1.bak"), "PRAGMA user_version") == 1


def test_the_backups_of_the_newest_two_upgrades_stay_and_nothing_else_is_removed(
    path: Path,
) -> None:
    foreign = {
        "anyon.db.schema-1.bak.mine",
        "anyon.db.schema-x.bak",
        "my-anyon.db.schema-1.bak",
        "other.db.schema-1.bak",
    }
    for name in foreign:
        path.with_name(name).write_text("")
    steps = [CORE, TAGS, *(step(version) for version in range(3, 12))]
    for count in range(1, len(steps) + 1):
        migrate(path, steps[:count])
    assert {file.name for file in path.parent.iterdir()} == {
        path.name,
        "anyon.db.schema-9.bak",
        "anyon.db.schema-10.bak",
        *foreign,
    }


def test_who_has_gone_back_to_an_old_schema_keeps_the_backup_of_that(path: Path) -> None:
    steps = [CORE, TAGS, step(3), step(4)]
    for count in range(1, 5):
        migrate(path, steps[:count])
    for version in (2, 3):
        os.utime(path.with_name(f"anyon.db.schema-{version}.bak"), (version, version))
    path.unlink()
    migrate(path, [CORE])
    migrate(path, steps)
    assert {file.name for file in path.parent.iterdir()} == {
        path.name,
        "anyon.db.schema-1.bak",
        "anyon.db.schema-3.bak",
    }


def test_an_upgrade_that_fails_removes_no_backup(path: Path) -> None:
    migrate(path, [CORE])
    migrate(path, [CORE, TAGS])
    for version in range(3, 5):
        migrate(path, [CORE, TAGS, *(step(n) for n in range(3, version + 1))])
    before = {file.name for file in path.parent.iterdir()}
    broken = Migration(5, "broken", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(Unavailable, match="nowhere"):
        migrate(path, [CORE, TAGS, step(3), step(4), broken])
    assert {file.name for file in path.parent.iterdir()} == before | {"anyon.db.schema-4.bak"}


def test_a_current_database_is_left_as_it_is(path: Path) -> None:
    migrate(path, [CORE])
    before = path.read_bytes()
    migrate(path, [CORE])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_step_that_fails_changes_nothing(path: Path) -> None:
    migrate(path, [CORE, TAGS])
    with pytest.raises(Unavailable, match=r"schema 3 \(broken\).*nowhere.*unchanged"):
        migrate(path, [CORE, TAGS, BROKEN])
    assert ask(path, "PRAGMA user_version") == 2
    assert ask(path, "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('more', 'meta')") == 1


def test_an_upgrade_whose_last_step_fails_makes_none_and_names_that_step(path: Path) -> None:
    migrate(path, [CORE])
    with pytest.raises(Unavailable, match=r"schema 3 \(broken\).*nowhere.*unchanged"):
        migrate(path, [CORE, TAGS, BROKEN])
    assert ask(path, "PRAGMA user_version") == 1
    assert ask(path, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'tags'") == 0
    migrate(path, [CORE, TAGS, step(3)])
    assert ask(path, "PRAGMA user_version") == 3


def test_a_new_database_is_made_in_one_transaction(path: Path) -> None:
    begun: list[str] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_trace_callback(begun.append)
        make_current(connection, path)
    assert [sql for sql in begun if sql.startswith(("BEGIN", "COMMIT"))] == [
        "BEGIN IMMEDIATE;",
        "COMMIT",
    ]


def test_a_step_may_rebuild_a_table_without_losing_the_rows_that_refer_to_it(path: Path) -> None:
    migrate(path, [CORE])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO projects VALUES ('p','p','/p',NULL,NULL,NULL,NULL,'','')")
        connection.execute("INSERT INTO tasks VALUES ('t','p','T',NULL,'todo',NULL,'','')")
    rebuild = "CREATE TABLE new AS SELECT * FROM projects; DROP TABLE projects;"
    back = " CREATE TABLE projects (id TEXT PRIMARY KEY); INSERT INTO projects SELECT id FROM new;"
    migrate(path, [CORE, Migration(2, "rebuild", rebuild + back)])
    assert ask(path, "SELECT COUNT(*) FROM tasks") == 1
    with pytest.raises(Unavailable, match="a row of tasks refers to no row of projects"):
        migrate(path, [CORE, TAGS, Migration(3, "lose", "DELETE FROM projects")])


def test_a_newer_schema_is_refused(path: Path) -> None:
    migrate(path, [CORE, TAGS])
    before = path.read_bytes()
    with pytest.raises(Unavailable, match=r"schema 2.*only up to 1.*newer Anyon"):
        migrate(path, [CORE])
    assert path.read_bytes() == before


async def test_a_damaged_database_is_refused(path: Path) -> None:
    async with Store.open(path) as store:
        await store.write(
            lambda tx: [
                tx.execute("INSERT INTO meta VALUES (?, ?)", (str(n), "x" * 500))
                for n in range(200)
            ]
        )
    damaged = bytearray(path.read_bytes())
    page = damaged.index(b"x" * 500) // 4096 * 4096
    damaged[page : page + 8] = b"\xff" * 8
    path.write_bytes(damaged)
    with pytest.raises(Unavailable, match="is damaged"):
        async with Store.open(path):
            pass
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("content", [b"This is a text, not a database.\n" * 100, b"\x00" * 5000])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Unavailable, match=r"anyon\.db is damaged.*not a database"):
        async with Store.open(path):
            pass
    assert path.read_bytes() == content


async def test_a_database_of_somebody_else_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (n)")
    with pytest.raises(Unavailable, match="not one of Anyon's"):
        async with Store.open(path):
            pass


async def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        async with Store.open(tmp_path / "nowhere" / "anyon.db"):
            pass
