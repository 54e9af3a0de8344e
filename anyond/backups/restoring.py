"""Putting a backup in the place of what is there, which is put aside."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from anyond.backups import manifest
from anyond.backups.copying import Progress, Source, copy_all, remove, tree
from anyond.backups.making import CONFIG, DATABASE, FOLDERS, LOGS, config_files
from anyond.editing.files import sync_directory
from anyond.host.app_paths import AppPaths
from anyond.host.lock import sole_daemon
from anyond.model.errors import Unavailable
from anyond.model.refusals.daemon import AgentsAtWork
from anyond.model.refusals.requests import Invalid
from anyond.procs.shims.shim_state import Lock
from anyond.store.engine import backup
from anyond.store.engine.migrate import migrations
from anyond.store.engine.transaction import in_words

_STAGE = ".restoring"


class Restored(NamedTuple):
    """A backup that is in place.

    Args:
        made_at: when it was made.
        aside: the directories in which everything is that was there before.
    """

    made_at: str
    aside: tuple[Path, ...]


def restore(paths: AppPaths, directory: Path, progress: Progress) -> Restored:
    """Put the backup in `directory` in place, and what is there aside. Blocks.

    Everything is copied beside its place first, and takes that by being renamed. Interrupted, it
    can be done again: what is there then, however much of it, is put aside once more.

    Raises:
        Invalid: that is no backup, or not a whole one, or a newer version has made it.
        AlreadyRunning: a daemon has the data directory.
        AgentsAtWork: agents are at work in it.
        Unavailable: the disk does not take it; what was there is as it was.
    """
    made = manifest.read(directory)
    if made is None or made.made_at is None:
        what = "no backup of Anyon" if made is None else "a backup that was interrupted"
        raise Invalid("path", f"{directory} is {what}")
    paths.create()
    with sole_daemon(paths.lock, paths.daemon_file):
        at_work = _at_work(paths.executions)
        if at_work:
            raise AgentsAtWork(len(at_work))
        stage = paths.data_dir / _STAGE
        config_stage = paths.config_dir / _STAGE
        for place in (stage, config_stage):
            remove(place)
        copy_all(_files(directory, stage, config_stage), progress)
        _check(directory, stage / DATABASE)
        try:
            aside = _exchange(paths, stage, config_stage)
        except OSError as error:
            text = f"{error.filename} cannot be renamed: {error.strerror}. Do it again."
            raise Unavailable(text) from error
    return Restored(made.made_at, aside)


def _files(directory: Path, stage: Path, config_stage: Path) -> list[Source]:
    found = [file for name in (LOGS, *FOLDERS) for file in tree(directory / name, stage / name)]
    found += tree(directory / CONFIG, config_stage)
    for name in (DATABASE, "user_id"):
        if (path := directory / name).is_file():
            found.append(Source(path, stage / name, path.stat().st_size))
    return found


def _check(directory: Path, database: Path) -> None:
    """Be sure that the copy of the database is whole, and of a version that we know."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise Invalid("path", f"{directory} has a database that is damaged ({error})") from error
    if answer != "ok":
        raise Invalid("path", f"{directory} has a database that is damaged ({answer})")
    if version > migrations()[-1].version:
        raise Invalid("path", f"{directory} was made by a newer Anyon (schema {version})")
    try:
        backup.forget_gone(database)
    except sqlite3.Error as error:
        raise Unavailable(f"{database} cannot be written: {in_words(error)}.") from error


def _exchange(paths: AppPaths, stage: Path, config_stage: Path) -> tuple[Path, ...]:
    names = [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOGS, *FOLDERS, "user_id"]
    configs = [file.name for file in config_files(paths)]
    aside = [
        place
        for home, moved in ((paths.data_dir, names), (paths.config_dir, configs))
        if (place := _put_aside(home, moved)) is not None
    ]
    for staged, home in ((config_stage, paths.config_dir), (stage, paths.data_dir)):
        # The database last: as long as it is not there, nobody takes this for all there is.
        for path in sorted(staged.iterdir() if staged.is_dir() else (), key=_database_last):
            os.rename(path, home / path.name)
        remove(staged)
        sync_directory(home)
    return tuple(aside)


def _database_last(path: Path) -> tuple[bool, str]:
    return path.name == DATABASE, path.name


def _put_aside(home: Path, names: list[str]) -> Path | None:
    there = [name for name in names if os.path.lexists(home / name)]
    if not there:
        return None
    number = 1
    while (place := home / f"replaced-{number}").exists():
        number += 1
    place.mkdir(mode=0o700)
    for name in there:
        os.rename(home / name, place / name)
    return place


def _at_work(executions: Path) -> list[str]:
    """The executions whose shims live."""
    found = []
    for spool in executions.iterdir() if executions.is_dir() else ():
        with Lock(spool) as lock:
            if not lock.taken():
                found.append(spool.name)
    return found
