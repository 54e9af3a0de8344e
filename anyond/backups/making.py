"""Making a backup while everything goes on.

Theory of operation. Logs only grow, and the index of a log names only what is in it. So logs are
copied first, then the database as it is at one moment, then once more those logs that have changed:
whatever a row of the copy says is in the copies of the logs, and what is in these beyond is read
again as after a crash. In a directory that has a backup already only what differs is copied; until
the new database takes the place of the old one, the old backup is as good as it was.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from anyond.backups import manifest
from anyond.backups.copying import HALF, Progress, Source, copy_all, remove, tree
from anyond.host.app_paths import AppPaths
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid
from anyond.store.engine import backup
from anyond.store.engine.transaction import Reader, in_words
from anyond.store.runs import processes

DATABASE = "anyon.db"
LOGS = "executions"
CONFIG = "config"
FOLDERS = ("images", "set-aside")
"""Further directories of the data directory that a backup has, under the same names."""


class Made(NamedTuple):
    """A backup that was made.

    Args:
        written: the bytes that were copied this time.
    """

    directory: Path
    made_at: str
    written: int


def make(paths: AppPaths, directory: Path, progress: Progress) -> Made:
    """Copy everything into `directory`, whether a daemon runs or not. Blocks.

    Interrupted, it leaves a backup that was there before as good as it was; done again, it goes on.

    Args:
        directory: a backup, or empty, or not there; only its owner can read it.

    Raises:
        Invalid: something else is in it, or it is in the data directory.
        Unavailable: there is nothing to copy, or the disk does not take it.
    """
    if not paths.database.exists():
        raise Unavailable(f"There is nothing to back up: {paths.database} is not there.")
    if directory.resolve().is_relative_to(paths.executions.parent.resolve()):
        raise Invalid("path", "must not be in the data directory, which it is a copy of")
    former = manifest.demand_own(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be made: {error.strerror}.") from error
    if former is None:
        manifest.write(directory, paths.data_dir, complete=False)
    for half in directory.rglob(f"*{HALF}"):  # of a backup that was killed
        remove(half)
    written = copy_all(_files(paths, directory), progress)
    target = directory / DATABASE
    half = directory / f"{DATABASE}{HALF}"
    try:
        backup.copy_checked(paths.database, half)
        known = _processes(half)
        os.replace(half, target)
    except (OSError, sqlite3.Error) as error:
        why = in_words(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Unavailable(f"The database {paths.database} could not be copied: {why}.") from error
    written += target.stat().st_size
    # What was said between the first copies and the database, which may have rows about it.
    written += copy_all(_files(paths, directory), progress)
    _prune(directory / LOGS, known)
    made = manifest.write(directory, paths.data_dir, complete=True)
    return Made(directory, str(made.made_at), written)


def config_files(paths: AppPaths) -> tuple[Path, ...]:
    """The files of the configuration directory that a backup has, secrets among them."""
    return (paths.config, paths.profiles, paths.acp_agents, paths.token)


def _files(paths: AppPaths, directory: Path) -> list[Source]:
    found = tree(paths.executions, directory / LOGS)
    for name in FOLDERS:
        found += tree(paths.data_dir / name, directory / name)
    for file in (*config_files(paths), paths.user_id):
        folder = directory if file == paths.user_id else directory / CONFIG
        if file.is_file():
            # The person may have it as a link to where all settings are.
            real = Path(os.path.realpath(file))
            found.append(Source(real, folder / file.name, real.stat().st_size))
    return found


def _processes(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return processes.all_ids(Reader(connection))


def _prune(logs: Path, known: set[str]) -> None:
    """Remove logs whose rows were deleted: a restore would find them, and nobody would."""
    if logs.is_dir():
        for folder in logs.iterdir():
            if folder.name not in known:
                remove(folder)
