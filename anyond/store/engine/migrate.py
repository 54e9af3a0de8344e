"""Migrating a database file to the schema of this version, without losing the old one."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from anyond.model.errors import Unavailable
from anyond.store.engine import backup
from anyond.store.engine.transaction import in_words

# Reading every page of a larger file would delay the start for the sake of a file that was
# closed in good order; after a crash it is worth it.
_ALWAYS_CHECKED_BYTES = 32 * 1024**2

_BACKUPS = 2

_STEPS = Path(__file__).parents[1] / "migrations"


class Migration(NamedTuple):
    """One step forward; `version` is the `user_version` after it."""

    version: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All steps, in order: the files `NNNN_name.sql` of the folder `migrations`."""
    found = []
    for file in _STEPS.iterdir():
        if match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name):
            sql = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], sql))
    return tuple(sorted(found))


def make_current(
    connection: sqlite3.Connection, path: Path, steps: Sequence[Migration] | None = None
) -> None:
    """Check the database that `connection` has opened at `path`, and bring it to the newest schema.

    Args:
        connection: in autocommit mode, outside a transaction.
        path: its file; before the first step it is copied to `<name>.schema-<version>.bak` beside
            it, and once the last is made, only the newest two of such copies stay.
        steps: for tests; all `migrations` otherwise.

    Raises:
        Unavailable: the file is no database, is not Anyon's, is damaged, or is of a newer Anyon.
    """
    steps = migrations() if steps is None else steps
    newest = steps[-1].version
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if version > newest:
            raise Unavailable(
                f"The database {path} has schema {version}, but this Anyon knows only up to "
                f"{newest}: it was last used by a newer Anyon. Use that one, or restore a backup "
                f"of an older schema that lies beside it."
            )
        if version == 0 and tables:
            raise Unavailable(f"{path} is a database, but not one of Anyon's. It was left alone.")
        if version < newest or _is_suspect(path):
            _check(connection, path)
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            raise _damaged(path, str(error)) from error
        raise Unavailable(f"The database {path} cannot be read: {in_words(error)}.") from error
    missing = [step for step in steps if step.version > version]
    if not missing:
        return
    copy = _back_up(connection, path, version) if version else None
    _apply(connection, path, missing)
    if copy is not None:
        _thin_out(path, copy)


def _is_suspect(path: Path) -> bool:
    """Return whether it was not closed in good order, or is so small that checking costs
    nothing.
    """
    with suppress(FileNotFoundError):
        if os.stat(f"{path}-wal").st_size > 0:
            return True
    return path.stat().st_size <= _ALWAYS_CHECKED_BYTES


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise _damaged(path, answer)


def _damaged(path: Path, how: str) -> Unavailable:
    return Unavailable(
        f"The database {path} is damaged ({how.splitlines()[-1]}). It was left as it is. "
        f"{backup.advice(path)}"
    )


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the whole database, readable by its owner only, complete or not at all."""
    backup = path.with_name(f"{path.name}.schema-{version}.bak")
    half = path.with_name(f"{backup.name}.half")
    half.unlink(missing_ok=True)
    try:
        create_private(half)
        with closing(sqlite3.connect(half)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        os.replace(half, backup)
    except (OSError, sqlite3.Error) as error:
        half.unlink(missing_ok=True)
        why = in_words(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Unavailable(
            f"The database {path} was not brought to a newer schema, since the copy {backup.name} "
            f"could not be made: {why}. It is unchanged."
        ) from error
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return backup


def _thin_out(path: Path, made: Path) -> None:
    """Keep the backup `made` and the newest of the others; each is as large as the database was.

    Newest by their time: who has gone back to an older schema makes a backup of it again.
    """
    backup = re.compile(rf"{re.escape(path.name)}\.schema-(\d+)\.bak")
    with suppress(OSError):  # they take room, and do no other harm
        others = [
            (file.stat().st_mtime_ns, int(match[1]), file)
            for file in path.parent.iterdir()
            if file != made and (match := backup.fullmatch(file.name))
        ]
        for _, _, file in sorted(others, reverse=True)[_BACKUPS - 1 :]:
            file.unlink()


def create_private(path: Path) -> None:
    """Make sure that the file exists and that, if it is new, only its owner can read it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _apply(connection: sqlite3.Connection, path: Path, missing: Sequence[Migration]) -> None:
    """Make all steps or none, in one transaction: each would wait for the disk five times."""
    # A table is rebuilt by dropping it, which must not cascade into the rows that refer to it.
    connection.execute("PRAGMA foreign_keys = OFF")
    # In one script: that is begun with a COMMIT wherever a transaction is open.
    script = [f"{step.sql}\n;PRAGMA user_version = {step.version};" for step in missing]
    try:
        connection.executescript("\n".join(["BEGIN IMMEDIATE;", *script]))
        orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
        if orphan is not None:
            raise sqlite3.IntegrityError(f"a row of {orphan[0]} refers to no row of {orphan[2]}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        failed = _failed(connection, missing)
        raise Unavailable(
            f"The database {path} could not be brought to schema {failed.version} ({failed.name}): "
            f"{in_words(error)}. It is unchanged."
        ) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = ON")


def _failed(connection: sqlite3.Connection, missing: Sequence[Migration]) -> Migration:
    """The step that was being made when something failed; the last, if all were made by then."""
    made = missing[-1].version
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # a full disk; the error that is reported says so
            (made,) = connection.execute("PRAGMA user_version").fetchone()
    else:
        made = 0  # rolled back by SQLite itself, or never begun
    return next((step for step in missing if step.version > made), missing[-1])
