"""Taking in an export: rows, logs, images and branches, each of them once.

Theory of operation. Everything keeps its id, so that what is here is known by it, and doing it
again (after a crash, or with a newer export) brings what is missing. The branches of a project and
the logs of a task are here before their rows; a task comes in one transaction with its attempts.
An export is somebody's file: names of files are made of ids only, values are checked by the
database, and git checks what is in a bundle.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import trio

from anyond.backups.copying import copy
from anyond.exporting import branches, layout
from anyond.exporting.layout import ExportedRepository, Manifest
from anyond.files.images import ImageFiles
from anyond.git.program.command import git
from anyond.host.app_paths import AppPaths
from anyond.model.errors import AnyondError
from anyond.model.ids import is_id
from anyond.model.records import Exit
from anyond.model.refusals.requests import Invalid
from anyond.procs.spools.spool import Spool
from anyond.store.board import imported
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.upkeep import portable_rows
from anyond.store.upkeep.portable_rows import Table

Row = dict[str, Any]
_LINE_MOST = 64 << 20


class Outcome(msgspec.Struct):
    """Counts of an import: rows that are new, rows that were here, and sentences."""

    new: dict[str, int] = {}
    known: dict[str, int] = {}
    deleted: int = 0
    left_out: list[str] = []


class Bundle(NamedTuple):
    """A task with all that belongs to it."""

    task: Row
    rows: list[tuple[Table, Row]]


@asynccontextmanager
async def opened(path: Path, aside: Path) -> AsyncIterator[tuple[Path, Manifest]]:
    """The directory of an export, unpacked below `aside` if it is a zip, while inside.

    Raises:
        Invalid: that is no export, or not a complete one.
        Unavailable: the disk does not take it.
    """
    if await trio.to_thread.run_sync(path.is_dir):
        yield path, _manifest(path)
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".importing-", dir=aside) as folder:
            await trio.to_thread.run_sync(_unpack, path, Path(folder))
            yield Path(folder), _manifest(Path(folder))
    except zipfile.BadZipFile as error:
        raise Invalid("path", f"{path} is no export of Anyon") from error


def _manifest(path: Path) -> Manifest:
    found = layout.read(path)
    if found is None:
        raise Invalid("path", f"{path} is no export of Anyon")
    if found.made_at is None:
        raise Invalid("path", f"{path} is an export that was interrupted; export once more")
    return found


def _unpack(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            archive.extract(name, folder)  # it goes nowhere else, whatever the names are


class Import:
    """The taking in of one export.

    Args:
        folder: where it is.
        manifest: of it.
        paths: of this Anyon.
        store: of it.
        repositories: where repositories are made that are not on this machine; None makes none.
        worktrees: where worktrees of this Anyon are.
        again: whether what was deleted here since an earlier import shall come back.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        paths: AppPaths,
        store: Store,
        *,
        repositories: Path | None,
        worktrees: Path,
        again: bool,
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._paths = paths
        self._store = store
        self._repositories = repositories
        self._worktrees = worktrees
        self._again = again
        self._outcome = Outcome()
        self._projects: dict[str, str] = {}
        self._images: dict[str, str] = {}
        self._tables: dict[str, Table] = {}
        self._here: set[str] = set()
        self._written: set[str] = set()
        self._came: set[str] = set()

    async def run(self, progress: Callable[[int, int], object]) -> Outcome:
        """Take in everything that is not here.

        Raises:
            Invalid: the rows do not belong together, or are none.
            Unavailable: the disk does not take it.
        """
        found = await self._store.read(portable_rows.tables)
        self._tables = {table.name: table for table in found}
        self._came = set() if self._again else await self._store.read(imported.fetch_all)
        self._here = await self._store.read(_ids_here)
        rows = {name: list(self._rows(name)) for name in self._tables}
        await self._take_tags(rows["tags"])
        await self._take_images(rows["images"])
        for row in rows["projects"]:
            await self._take_project(row)
        bundles = self._bundles(rows)
        for number, bundle in enumerate(bundles, 1):
            await self._take_task(bundle)
            progress(number, len(bundles))
        await self._store.write(partial(self._write_parents, rows["tasks"]))
        return self._outcome

    # ------------------------------------------------------------ reading

    def _rows(self, name: str) -> Iterator[Row]:
        path = self._folder / layout.ROWS / f"{name}.jsonl"
        try:
            with open(path, "rb") as file:
                while line := file.readline(_LINE_MOST):
                    yield msgspec.json.decode(line, type=dict[str, Any])
        except FileNotFoundError:
            return  # an older version does not have that table
        except (OSError, ValueError, RecursionError) as error:
            raise Invalid("path", f"{path} cannot be read: {error}") from error

    def _bundles(self, rows: dict[str, list[Row]]) -> list[Bundle]:
        """Each task with its rows, in the order of the tables."""
        found = {row["id"]: Bundle(row, []) for row in rows["tasks"] if is_id(str(row.get("id")))}
        # For each row that others refer to, the task that it belongs to.
        owners: dict[str, dict[Any, str]] = defaultdict(dict)
        owners["tasks"] = {id: id for id in found}
        for name, table in self._tables.items():
            if table.parent is None or table.parent[0] not in owners or name == "tasks":
                continue
            owner, column = table.parent
            for row in rows[name]:
                task = owners[owner].get(row.get(column))
                if task is None:
                    continue
                found[task].rows.append((table, row))
                if name in portable_rows.ROOTS and is_id(str(row.get("id"))):
                    owners[name][row["id"]] = task
        return list(found.values())

    # ------------------------------------------------------------ taking in

    async def _take_tags(self, rows: list[Row]) -> None:
        for row in rows:
            if not self._is_deleted(_id(row)):
                await self._store.write(partial(self._insert, self._tables["tags"], row))

    async def _take_images(self, rows: list[Row]) -> None:
        pictures = ImageFiles(self._paths.images)
        for row in rows:
            here = await self._store.read(partial(_image_here, hash=row.get("hash")))
            if here is not None:
                self._images[row["id"]] = here
                self._count("images", is_new=False)
                continue
            name = str(row.get("file_name"))
            file = self._folder / layout.IMAGES / name
            if "/" in name or name.startswith(".") or not file.is_file():
                self._outcome.left_out.append(f"The image {name} is not in the export.")
                continue
            await trio.to_thread.run_sync(self._keep_picture, pictures, file, row)
            await self._store.write(partial(self._insert, self._tables["images"], row))

    def _keep_picture(self, pictures: ImageFiles, file: Path, row: Row) -> None:
        """Look at the bytes, whatever the row says of them."""
        with pictures.incoming() as upload, file.open("rb") as source:
            while data := source.read(1 << 20):
                upload.write(data)
            picture = upload.finish()
            pictures.keep(upload, picture)
        row["file_name"] = picture.file_name
        row["hash"] = f"sha256:{picture.hash}"
        row["mime_type"], row["size_bytes"] = picture.mime_type, picture.size

    async def _take_project(self, row: Row) -> None:
        id = _id(row)
        repository = next(
            (one for one in self._manifest.repositories if one.project_id == id),
            ExportedRepository(project_id=id),
        )
        here = await self._store.read(
            lambda reader: reader.execute(
                "SELECT id, git_repo_path, subdirectory FROM projects"
                " WHERE id = ? OR git_repo_path = ?",
                (id, row.get("git_repo_path")),
            ).fetchone()
        )
        if here is None and self._is_deleted(id):
            return
        try:
            place = (
                await self._place_of(row, repository)
                if here is None
                else _top(here[1], here[2] or "")
            )
            file = self._bundle_file(repository)
            if file is not None:
                taken = await branches.take(place, file)
                for branch in taken.differing:
                    if branch != repository.head:
                        self._outcome.left_out.append(
                            f"The branch {branch} of {place} is another one here; it stays so."
                        )
        except (AnyondError, OSError) as error:
            self._outcome.left_out.append(f"The project {row.get('name')}: {error}")
            if here is None:
                return
        if here is not None:
            self._projects[id] = here[0]
            self._count("projects", is_new=False)
            return
        top = place / (row.get("subdirectory") or "")
        row = {**row, "git_repo_path": str(top)}
        self._projects[id] = id
        await self._store.write(partial(self._insert, self._tables["projects"], row))

    async def _place_of(self, row: Row, repository: ExportedRepository) -> Path:
        """The repository on this machine; a new one of the bundle if it is not here.

        Raises:
            Invalid: it is not here, and none is to be made.
        """
        former = _top(str(row.get("git_repo_path")), str(row.get("subdirectory") or ""))
        if await trio.to_thread.run_sync((former / ".git").exists):
            await git("rev-parse", "--git-dir", cwd=former)
            return former
        file = self._bundle_file(repository)
        if self._repositories is None or file is None:
            what = "it is not on this machine" if file is not None else "no branch was exported"
            raise Invalid("repositories", f"{former}: {what}. --repositories DIR makes it there")
        place = await trio.to_thread.run_sync(_free_place, self._repositories, former.name)
        half = place.with_name(f".{place.name}.half")
        await trio.to_thread.run_sync(partial(shutil.rmtree, half, ignore_errors=True))
        await branches.new_repository(half, file, repository.head)
        half.rename(place)
        return place

    def _bundle_file(self, repository: ExportedRepository) -> Path | None:
        if repository.bundle is None or not is_id(repository.project_id):
            return None
        # Its name is made here, whatever the manifest says.
        file = (self._folder / layout.BRANCHES / f"{repository.project_id}.bundle").absolute()
        return file if file.is_file() else None

    async def _take_task(self, bundle: Bundle) -> None:
        task = bundle.task
        project = self._projects.get(str(task.get("project_id")))
        if project is None or self._is_deleted(task["id"]):
            return
        running = {
            row["id"]
            for table, row in bundle.rows
            if table.name == "execution_processes" and row.get("status") == "running"
        }
        for table, row in bundle.rows:
            if table.name == "execution_processes":
                await trio.to_thread.run_sync(self._copy_log, row)
        try:
            await self._store.write(partial(self._write_task, bundle, project, bool(running)))
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, TypeError) as error:
            self._outcome.left_out.append(f"The task {task.get('title')}: {error}")

    def _write_task(self, bundle: Bundle, project: str, ran: bool, tx: Tx) -> None:
        at = self._manifest.made_at
        task = {**bundle.task, "project_id": project, "parent_task_attempt": None}
        if ran and task.get("status") == "inprogress":
            # Nothing runs here that could end it; it waits for the person.
            task["status"] = "inreview"
        fresh: set[tuple[str, Any]] = set()
        if self._insert(self._tables["tasks"], task, tx):
            fresh.add(("tasks", task["id"]))
        left_out: set[Any] = set()
        for table, original in bundle.rows:
            row = _settled(table.name, {**original}, at, self._worktrees)
            assert table.parent is not None
            owner = (table.parent[0], row[table.parent[1]])
            if table.name == "task_attempts" and self._is_deleted(row["id"]):
                left_out.add(row["id"])
            if left_out & {row.get("id"), row.get("task_attempt_id"), row.get("attempt_id")}:
                continue  # it was deleted here
            if not table.has_key and owner not in fresh:
                continue  # it may be here, and could not be told from itself
            if table.name == "task_images":
                row["image_id"] = self._images.get(row["image_id"], row["image_id"])
            if self._insert(table, row, tx):
                fresh.add((table.name, row.get("id")))

    def _copy_log(self, row: Row) -> None:
        id = _id(row)
        source, target = self._folder / layout.LOGS / id, self._paths.executions / id
        if (target / "exit.json").exists():
            return  # it is here, and complete
        for name in sorted(layout.LOG_FILES, key=lambda name: name == "exit.json"):
            for _ in copy(source / name, target / name):
                pass  # how much of it does not matter
        spool = Spool(target)
        spool.trim()
        if spool.exit() is None:
            spool.write_exit(Exit(error="It was at work when it was exported."))

    def _write_parents(self, rows: list[Row], tx: Tx) -> None:
        """At the end, since a task may come from an attempt that comes after it."""
        for row in rows:
            if row.get("parent_task_attempt") is not None and row["id"] in self._written:
                tx.execute(
                    "UPDATE tasks SET parent_task_attempt = (SELECT id FROM task_attempts"
                    " WHERE id = ?) WHERE id = ? AND parent_task_attempt IS NULL",
                    (row["parent_task_attempt"], row["id"]),
                )

    def _insert(self, table: Table, row: Row, tx: Tx) -> bool:
        is_new = portable_rows.insert(tx, table, row)
        self._count(table.name, is_new=is_new)
        if is_new and table.name in portable_rows.ROOTS and table.name != "execution_processes":
            imported.note(tx, _id(row))
        if is_new and table.name == "tasks":
            self._written.add(row["id"])
        return is_new

    def _count(self, name: str, *, is_new: bool) -> None:
        counts = self._outcome.new if is_new else self._outcome.known
        counts[name] = counts.get(name, 0) + 1

    def _is_deleted(self, id: str) -> bool:
        """Return whether it came with an earlier import, and is not here any more."""
        if id not in self._came or id in self._here:
            return False
        self._outcome.deleted += 1
        return True


def _free_place(folder: Path, name: str) -> Path:
    place, number = folder.absolute() / name, 1
    while os.path.lexists(place):
        number += 1
        place = folder.absolute() / f"{name}-{number}"
    return place


def _image_here(reader: Reader, hash: Any) -> str | None:
    row = reader.execute("SELECT id FROM images WHERE hash = ?", (hash,)).fetchone()
    return None if row is None else str(row[0])


def _ids_here(reader: Reader) -> set[str]:
    """The ids of projects, tasks, attempts and tags."""
    tables = ("projects", "tasks", "task_attempts", "tags")
    return {id for name in tables for (id,) in reader.execute(f"SELECT id FROM {name}")}


def _settled(name: str, row: Row, at: str | None, worktrees: Path) -> Row:
    """A row as it is where nothing of it is under way, and its worktree is not there.

    Args:
        worktrees: where those of this Anyon are. One that was made is made again there from its
            branch when it is needed.
    """
    match name:
        case "task_attempts" if row.get("container_ref") is not None:
            former = Path(str(row["container_ref"]))
            place = worktrees / (former.parent.name or "imported") / (former.name or _id(row))
            if os.path.lexists(place):
                place = place.with_name(_id(row))
            row |= {"container_ref": str(place), "worktree_deleted": 1}
        case "execution_processes" if row.get("status") == "running":
            row |= {"status": "killed", "completed_at": at, "exit_code": None}
        case "approvals" if row.get("status") == "pending":
            row |= {"status": "timed_out", "responded_at": at}
        case "drafts" if row.get("state") == "queued":
            row["state"] = "edited"
    return row


def _id(row: Row) -> str:
    id = row.get("id")
    if not isinstance(id, str) or not is_id(id):
        raise Invalid("path", f"has a row with an id that is none: {id!r}")
    return id


def _top(path: str, subdirectory: str) -> Path:
    depth = len(Path(subdirectory).parts)
    return Path(path).parents[depth - 1] if depth else Path(path)
