"""Copies of the database: made while it is used, checked, and put in the place of a damaged one.

Two are kept beside it: `<name>.daily.bak`, and the one before, `<name>.daily-before.bak`.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from anyond.model.errors import Unavailable
from anyond.model.ids import timestamp
from anyond.model.refusals.requests import NotFound
from anyond.store.engine.transaction import in_words

COMMAND = "anyon restore-backup"


class Backup(NamedTuple):
    """A copy of the database; `made_at` is RFC 3339."""

    path: Path
    made_at: str


def newest(database: Path) -> Path:
    """Return the path of the newest daily copy, if there is one."""
    return database.with_name(f"{database.name}.daily.bak")


def make(database: Path) -> Path:
    """Copy the database as it is now, without holding up anybody who uses it. Blocking.

    The copy is read as a whole before it counts; if it is damaged, those before stay.

    Raises:
        Unavailable: it cannot be made, or the database is damaged.
    """
    path = newest(database)
    half = database.with_name(f"{path.name}.half")
    try:
        copy_checked(database, half)
        with suppress(FileNotFoundError):
            os.replace(path, _before(database))
        os.replace(half, path)
        _sync(path.parent)
    except (OSError, sqlite3.Error) as error:
        _discard(half)
        why = in_words(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Unavailable(f"The database {database} could not be backed up: {why}.") from error
    return path


def all_of(database: Path) -> list[Backup]:
    """The copies that there are, daily ones and those from before an upgrade, the newest first."""
    pattern = f"{database.name}.*.bak"
    found = [(path.stat().st_mtime, path) for path in database.parent.glob(pattern)]
    return [Backup(path, timestamp(at)) for at, path in sorted(found, reverse=True)]


def advice(database: Path) -> str:
    """Return the advice about a damaged or missing database, in a sentence."""
    with suppress(OSError):
        if found := all_of(database):
            return (
                f"The newest backup is {found[0].path} of {found[0].made_at}: stop Anyon and run "
                f"`{COMMAND}`. The present file is kept."
            )
    return f"There is no backup beside it; `sqlite3 {database.name} .recover` may get some back."


def restore(database: Path, chosen: Path | None = None) -> tuple[Backup, Path | None]:
    """Put a copy in the place of the database, which is kept under another name. Blocking.

    Nobody may use the database meanwhile.

    Args:
        chosen: its name, or its path; the newest otherwise that is whole.

    Returns:
        What was restored, and where the former database is now, if there was one.

    Raises:
        NotFound: there is no such copy, or none that is whole.
        Unavailable: the disk refuses; the database is as it was.
    """
    half = database.with_name(f"{database.name}.half")
    try:
        backup = _first_whole(database, chosen, half)
        former = _keep(database)
        os.replace(half, database)
        _sync(database.parent)
    except OSError as error:
        _discard(half)
        text = f"{error.filename or database} cannot be written: {error.strerror}."
        raise Unavailable(text) from error
    return backup, former


def _first_whole(database: Path, chosen: Path | None, half: Path) -> Backup:
    candidates = all_of(database)
    if chosen is not None:
        # A file of that name in another directory is another file.
        place = os.path.realpath(database.parent / chosen)
        candidates = [one for one in candidates if os.path.realpath(one.path) == place]
    for backup in candidates:
        try:
            copy_checked(backup.path, half)
            forget_gone(half)
            _sync(half)
        except sqlite3.Error:
            _discard(half)
        else:
            return backup
    if chosen is None:
        raise NotFound("whole backup of", database.name)
    raise NotFound("backup that is whole and called", chosen)


def forget_gone(database: Path) -> None:
    """Forget what may be deleted: that was decided with files of later rows, too, which are not
    known here.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as copy:
        found = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'gone'").fetchone()
        if found is not None:  # an older schema has no such table
            copy.execute("DELETE FROM gone")


def _discard(half: Path) -> None:
    """Remove a copy that did not succeed; what cannot be removed hides no reason."""
    with suppress(OSError):
        half.unlink(missing_ok=True)


def copy_checked(source: Path, target: Path) -> None:
    """Make a complete and checked copy, on the disk, readable by its owner only. Blocking.

    Raises:
        sqlite3.Error: the database cannot be read, or is damaged.
        OSError: the disk does not take it.
    """
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as original,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        original.backup(copy)  # one step: a snapshot that no writer waits for
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        (answer,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"it is damaged ({answer.splitlines()[-1]})")
    _sync(target)


def _keep(database: Path) -> Path | None:
    """Give the present database another name, with what its log holds; None if there is none."""
    if not database.exists():
        return None
    number = 1
    while (former := database.with_name(f"{database.name}.replaced-{number}")).exists():
        number += 1
    os.link(database, former)
    # A log of the former one must not be taken for one of the new.
    with suppress(FileNotFoundError):
        os.rename(f"{database}-wal", f"{former}-wal")
    with suppress(FileNotFoundError):
        os.unlink(f"{database}-shm")
    return former


def _before(database: Path) -> Path:
    return database.with_name(f"{database.name}.daily-before.bak")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
