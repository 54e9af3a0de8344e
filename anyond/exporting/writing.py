"""Writing an export while everything goes on.

Theory of operation. The rows are read at one moment, so that they belong together; logs, images and
branches are copied after that, and have at least what the rows speak of. A directory that has an
export already gets what differs; its `export.json` says last that it is complete.
"""

from __future__ import annotations

import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import trio

from anyond.backups.copying import Source, copy_all, remove
from anyond.editing import files
from anyond.exporting import branches, layout
from anyond.exporting.layout import ExportedRepository, Manifest
from anyond.host.app_paths import AppPaths
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.store.engine.migrate import migrations
from anyond.store.engine.transaction import Reader, in_words
from anyond.store.upkeep import portable_rows
from anyond.store.upkeep.portable_rows import Row, Table

Progress = Callable[[str, int, int], object]
"""Called with what is being written, how much of it is done, and all; in files or bytes."""


class Written(NamedTuple):
    """An export that is complete.

    Args:
        tables: the rows of each table.
        left_out: sentences on what could not be exported.
    """

    path: Path
    tables: dict[str, int]
    left_out: list[str]


class Rows(NamedTuple):
    """The rows that are exported, table by table."""

    tables: dict[str, list[dict[str, Any]]]

    def ids(self, table: str) -> set[str]:
        """The ids in a table."""
        return {row["id"] for row in self.tables[table]}


async def write(
    paths: AppPaths, target: Path, progress: Progress, *, projects: Iterable[str] = (), logs: bool
) -> Written:
    """Write everything, or those projects, to a directory, or to a file that ends in `.zip`.

    Cancelled or killed, it leaves what is whole, and can be done again.

    Args:
        projects: ids or names; all without one.
        logs: whether raw logs go along; conversations do in any case.

    Raises:
        Invalid: something else is at `target`.
        NotFound: there is no such project.
        Unavailable: the database or the disk does not want to.
    """
    zipped = target.suffix == ".zip"
    if zipped and await trio.to_thread.run_sync(_is_others, target):
        raise Invalid("path", f"{target} is there, and no export of Anyon")
    folder = target.with_name(f".{target.name}.partial") if zipped else target
    layout.demand_own(folder)
    rows = await trio.to_thread.run_sync(_read, paths.database, tuple(projects))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be made: {error.strerror}.") from error
    left_out: list[str] = []
    counts = {name: len(found) for name, found in rows.tables.items()}
    manifest = Manifest(tables=counts)
    layout.write(folder, manifest)
    await trio.to_thread.run_sync(_write_rows, folder, rows)
    await trio.to_thread.run_sync(_copy_files, paths, folder, rows, logs, progress)
    repositories = await _write_branches(folder, rows, progress, left_out)
    manifest = layout.complete(msgspec.structs.replace(manifest, repositories=repositories))
    layout.write(folder, manifest)
    if zipped:
        await trio.to_thread.run_sync(_zip, folder, target, progress)
    return Written(target, counts, left_out)


def _read(database: Path, projects: tuple[str, ...]) -> Rows:
    if not database.exists():
        raise Unavailable(f"There is nothing to export: {database} is not there.")
    address = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("BEGIN")
            reader = Reader(connection)
            (version,) = reader.execute("PRAGMA user_version").fetchone()
            if version != migrations()[-1].version:
                raise Unavailable(
                    f"The database is of another version (schema {version}); start the daemon of"
                    " this version once."
                )
            found = portable_rows.tables(reader)
            rows = {table.name: list(portable_rows.rows(reader, table)) for table in found}
    except sqlite3.Error as error:
        text = f"The database {database} cannot be read: {in_words(error)}."
        raise Unavailable(text) from error
    return _selected(found, rows, projects)


def _selected(
    tables: list[Table], rows: dict[str, list[dict[str, Any]]], projects: tuple[str, ...]
) -> Rows:
    """The rows of those projects, and what is nobody's."""
    if not projects:
        return Rows(rows)
    chosen = set()
    for wish in projects:
        ids = [row["id"] for row in rows["projects"] if wish in (row["id"], row["name"])]
        if not ids:
            raise NotFound("project", wish)
        chosen.update(ids)
    ids_of = {"projects": chosen}
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        if table.name == "projects":
            found[table.name] = [row for row in rows[table.name] if row["id"] in chosen]
        elif table.parent is None or table.parent[0] not in ids_of:
            found[table.name] = rows[table.name]  # tags, images
        else:
            owner, column = table.parent
            found[table.name] = [row for row in rows[table.name] if row[column] in ids_of[owner]]
            if table.name in portable_rows.ROOTS:
                ids_of[table.name] = {row["id"] for row in found[table.name]}
    linked = {row["image_id"] for row in found.get("task_images", ())}
    found["images"] = [row for row in found["images"] if row["id"] in linked]
    return Rows(found)


def _write_rows(folder: Path, rows: Rows) -> None:
    for name, found in rows.tables.items():
        encoder = msgspec.json.Encoder()
        lines = (encoder.encode(row) + b"\n" for row in found)
        files.write(folder / layout.ROWS / f"{name}.jsonl", lines)


def _copy_files(paths: AppPaths, folder: Path, rows: Rows, logs: bool, progress: Progress) -> None:
    names = [name for name in layout.LOG_FILES if logs or not name.startswith("log")]
    sources = [
        (paths.executions / row["id"] / name, folder / layout.LOGS / row["id"] / name)
        for row in rows.tables["execution_processes"]
        # The index before the log: whatever it names is then in the copy of the log.
        for name in sorted(names, key=lambda name: name == "log")
    ]
    sources += [
        (paths.images / row["file_name"], folder / layout.IMAGES / row["file_name"])
        for row in rows.tables["images"]
    ]
    there = [
        Source(path, target, path.stat().st_size) for path, target in sources if path.is_file()
    ]
    copy_all(there, lambda done, total: progress("logs", done, total))
    known = {folder / layout.LOGS / id for id in rows.ids("execution_processes")}
    if (folder / layout.LOGS).is_dir():
        for place in (folder / layout.LOGS).iterdir():
            if place not in known:  # of an export before, and deleted since
                remove(place)


async def _write_branches(
    folder: Path, rows: Rows, progress: Progress, left_out: list[str]
) -> list[ExportedRepository]:
    tasks: dict[str, Row] = {row["id"]: row for row in rows.tables["tasks"]}
    attempts = rows.tables["task_attempts"]
    done, found = 0, []
    for place in (layout.BRANCHES, layout.PATCHES):
        (folder / place).mkdir(mode=0o700, exist_ok=True)
    for project in rows.tables["projects"]:
        own = [row for row in attempts if tasks[row["task_id"]]["project_id"] == project["id"]]
        repository = _repository(project)
        try:
            if not await trio.to_thread.run_sync(os.path.isdir, repository):
                raise Unavailable(f"{repository} is not there.")
            found.append(await _write_bundle(folder, project["id"], repository, own))
        except AnyondError as error:
            left_out.append(f"The branches of the project {project['name']}: {error}")
            found.append(ExportedRepository(project_id=project["id"]))
            own = []
        for row in own:
            await _write_patches(folder, repository, row)
            done += 1
            progress("branches", done, len(attempts))
    return found


async def _write_bundle(
    folder: Path, project_id: str, repository: Path, attempts: list[dict[str, Any]]
) -> ExportedRepository:
    head = await branches.head(repository)
    refs = await branches.refs_of(repository)
    names = {row["branch"] for row in attempts} | {row["target_branch"] for row in attempts}
    names |= {head} if head is not None else set()
    chosen = branches.belonging(refs, names, {row["id"] for row in attempts})
    if not chosen:
        return ExportedRepository(project_id=project_id, head=head)
    name = f"{layout.BRANCHES}/{project_id}.bundle"
    await branches.bundle(repository, chosen, folder / name)
    return ExportedRepository(project_id=project_id, head=head, bundle=name)


async def _write_patches(folder: Path, repository: Path, row: dict[str, Any]) -> None:
    worktree = row["container_ref"]
    found = {"": await branches.patch(repository, row["target_branch"], row["branch"])}
    if worktree is not None and await trio.to_thread.run_sync(os.path.isdir, worktree):
        found[".uncommitted"] = await branches.uncommitted(Path(worktree))
    for kind, content in found.items():
        path = folder / layout.PATCHES / f"{row['id']}{kind}.patch"
        if content:
            await trio.to_thread.run_sync(files.write, path, content)
        else:
            await trio.to_thread.run_sync(remove, path)


def _repository(project: Row) -> Path:
    path = Path(project["git_repo_path"])
    depth = len(Path(project["subdirectory"] or "").parts)
    return path.parents[depth - 1] if depth else path


def _is_others(path: Path) -> bool:
    """Return whether something is there that is no export."""
    if not os.path.lexists(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return layout.MANIFEST not in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return True


def _zip(folder: Path, target: Path, progress: Progress) -> None:
    """Pack a directory, and remove it when that is done."""
    half = target.with_name(f".{target.name}.half")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    try:
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive,
        ):
            for number, path in enumerate(paths, 1):
                archive.write(path, path.relative_to(folder).as_posix())
                progress("zip", number, len(paths))
        os.replace(half, target)
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}.") from error
    remove(folder)
