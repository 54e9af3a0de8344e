"""`anyon import` from beginning to end: look, report, and then write."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import platformdirs

from anyond.host.app_paths import AppPaths
from anyond.host.lock import sole_daemon
from anyond.importing.database_copy import copied
from anyond.importing.vibe_kanban import Import
from anyond.importing.vibe_tables import Tables
from anyond.store.engine.database import Store


async def run(
    paths: AppPaths,
    path: Path,
    picture_folders: Sequence[Path],
    *,
    dry_run: bool,
    again: bool,
    print_line: Callable[[str], object],
) -> None:
    """Import the vibe-kanban at `path`.

    Args:
        path: the database, or its directory.
        picture_folders: where its images lie; none is where vibe-kanban puts them.
        dry_run: only tell.
        again: bring back what was deleted here since an earlier import.
        print_line: prints a text for the person.

    Raises:
        Invalid: that is no database that can be read.
        AlreadyRunning: a daemon has the data directory.
        Unavailable: the disk does not take it.
    """
    database, usual = _located(path)
    folders = picture_folders or usual
    async with AsyncExitStack() as stack:
        store = None
        if not dry_run:
            paths.create()
        if not dry_run or paths.database.exists():
            stack.enter_context(sole_daemon(paths.lock, paths.daemon_file))
            store = await stack.enter_async_context(Store.open(paths.database))
        connection = stack.enter_context(copied(database))
        tables = Tables(connection)
        tables.index()
        print_line(f"vibe-kanban in {database}, schema {tables.migration}\n")
        job = Import(tables, paths, store, folders, again=again)
        report = await job.plan()
        print_line(report.text())
        if dry_run:
            print_line("\nNothing was written.")
            return
        planned = len(report.left_out)
        await job.run(print_line)
        for reason in report.left_out[planned:]:
            print_line(f"  - {reason}")
        print_line("\nDone. Everything is there when Anyon is started.")


def _located(path: Path) -> tuple[Path, list[Path]]:
    """The database, and where the images of this vibe-kanban lie; its cache was called `utils`."""
    database = path / "db.sqlite" if path.is_dir() else path
    caches = [
        platformdirs.user_cache_path(name, appauthor=False) for name in ("utils", "vibe-kanban")
    ]
    if xdg := os.environ.get("XDG_CACHE_HOME"):  # honoured by it on macOS too
        caches.append(Path(xdg) / "utils")
    folders = [*(cache / "images" for cache in caches), database.parent / "images"]
    return database, [folder for folder in dict.fromkeys(folders) if folder.is_dir()]
