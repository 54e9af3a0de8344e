"""How a person's vibe-kanban becomes rows, logs and images of Anyon, each of them once.

Theory of operation. Everything keeps the id that it had, so that what is here already is known by
its id, and a second import (or one after a crash) brings only what is still missing. A process has
its log before it has its row; a task comes with its attempts and processes in one transaction.
Worktrees and branches stay where they are and are used from there; nothing in them is touched.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from anyond.files.images import ImageFiles, Picture
from anyond.importing import vibe_leftovers, vibe_logs, vibe_rows
from anyond.importing.report import Report
from anyond.importing.vibe_rows import (
    OldAttempt,
    OldProcess,
    OldProject,
    OldTask,
    Unreadable,
)
from anyond.importing.vibe_tables import Tables
from anyond.logs import archive
from anyond.model.bodies import NewProject, NewTag, NewTask, TaskPatch
from anyond.model.drafts import DraftPatch, DraftType
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.ids import seconds
from anyond.model.records import Exit
from anyond.model.rows import (
    ProcessStatus,
    PullRequestInfo,
    ScriptRequest,
    Session,
    TaskStatus,
)
from anyond.operations.run import ENTRIES
from anyond.procs.spool import Spool
from anyond.settings import files
from anyond.settings.places import Places
from anyond.store import (
    attempts,
    drafts,
    images,
    imported,
    merges,
    processes,
    projects,
    sessions,
    tags,
    tasks,
)
from anyond.store.database import Store
from anyond.store.transaction import Reader, Tx

OLD_FOLDER = ".vibe-images"
_AT_ONCE = 16
_WORD_EVERY = 500


@dataclass(frozen=True)
class _Known:
    """What is here already."""

    tasks: set[str]
    attempts: set[str]
    processes: set[str]
    merges: set[str]
    images: set[str]
    projects: dict[str, str]
    paths: dict[str, str]
    tags: set[str]
    deleted: Callable[[str], bool]
    """Whether it came with an earlier import and is not wanted any more."""


@dataclass
class _Image:
    """One picture of the old database, and what became of it."""

    old_name: str
    name: str
    file: Path
    picture: Picture | None = None


@dataclass
class _Bundle:
    """One task and everything of it that is new."""

    task: OldTask
    is_new: bool
    images: list[_Image] = field(default_factory=list)
    attempts: list[tuple[OldAttempt, bool]] = field(default_factory=list)
    processes: list[tuple[OldAttempt, OldProcess]] = field(default_factory=list)
    merges: list[tuple[OldAttempt, tuple[object, ...]]] = field(default_factory=list)
    drafts: list[tuple[OldAttempt, str, str | None]] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether all of it is here already."""
        brings = self.is_new or self.processes or self.merges or self.drafts
        return not brings and not any(is_new for _, is_new in self.attempts)


class Import:
    """One import of one database.

    Args:
        tables: of the copy.
        store: where to; None if there is no database yet, which is enough for `plan`.
        picture_folders: where the pictures may lie.
        again: whether what was deleted here since an earlier import shall come back.
    """

    def __init__(
        self,
        tables: Tables,
        places: Places,
        store: Store | None,
        picture_folders: Sequence[Path],
        *,
        again: bool = False,
    ) -> None:
        self._tables = tables
        self._places = places
        self._store = store
        self._folders = picture_folders
        self._again = again
        self._projects: dict[str, str] = {}
        self._deleted: set[str] = set()
        self._bundles: list[_Bundle] = []
        self._new_projects: list[OldProject] = []
        self._new_tags: list[vibe_rows.OldTag] = []
        self._telling = trio.Lock()
        self.report = Report()

    # ------------------------------------------------------------ what there is

    async def plan(self) -> Report:
        """Look at everything, and write nothing.

        Raises:
            Invalid: the database has a shape that is not known.
        """
        known = (
            _Known(set(), set(), set(), set(), set(), {}, {}, set(), lambda _: False)
            if self._store is None
            else await self._store.read(partial(_known, again=self._again))
        )
        self._plan_projects(known)
        self._plan_tags(known)
        for task in vibe_rows.tasks(self._tables):
            if isinstance(task, Unreadable):
                self.report.leave(task, "tasks")
            elif task.project_id in self._deleted or (
                task.id not in known.tasks and known.deleted(task.id)
            ):
                self.report.stays_deleted("tasks")
            elif task.project_id not in self._projects:
                self.report.leave(f"task {task.title}: its project is not imported", "tasks")
            else:
                bundle = self._plan_task(task, known)
                if not bundle.is_known:
                    self._bundles.append(bundle)
                await trio.lowlevel.checkpoint()
        for sentence in vibe_leftovers.told(self._tables):
            self.report.leave(sentence)
        return self.report

    def _plan_projects(self, known: _Known) -> None:
        for project in vibe_rows.projects(self._tables):
            if isinstance(project, Unreadable):
                self.report.leave(project, "projects")
                continue
            here = known.projects.get(project.id) or known.paths.get(str(project.path))
            if here is None and known.deleted(project.id):
                self.report.stays_deleted("projects")
                self._deleted.add(project.id)
                continue
            self._projects[project.id] = here or project.id
            self.report.saw("projects", here is None)
            if here is None:
                self._new_projects.append(project)
                known.paths[str(project.path)] = project.id
                if not (project.path / ".git").exists():
                    self.report.leave(
                        f"project {project.name} is imported, but {project.path} is no repository "
                        "now: put it back, or change the path"
                    )

    def _plan_tags(self, known: _Known) -> None:
        for tag in vibe_rows.tags(self._tables):
            if isinstance(tag, Unreadable):
                self.report.leave(tag, "tags")
                continue
            try:
                folded = tags.possible(tag.name)
            except AnyondError as refusal:
                self.report.leave(f"tag {tag.name}: {refusal}", "tags")
                continue
            if folded not in known.tags and known.deleted(tag.id):
                self.report.stays_deleted("tags")
                continue
            self.report.saw("tags", folded not in known.tags)
            if folded not in known.tags:
                known.tags.add(folded)
                self._new_tags.append(tag)

    def _plan_task(self, task: OldTask, known: _Known) -> _Bundle:
        bundle = _Bundle(task, task.id not in known.tasks)
        self.report.saw("tasks", bundle.is_new)
        for _, old_name, name in self._tables.images_of(task.key):
            self._plan_image(bundle, str(old_name), str(name or old_name))
        for attempt in vibe_rows.attempts(self._tables, task):
            if isinstance(attempt, Unreadable):
                self.report.leave(attempt, "attempts")
                continue
            is_new = attempt.id not in known.attempts
            if is_new and known.deleted(attempt.id):
                self.report.stays_deleted("attempts")
                continue
            self.report.saw("attempts", is_new)
            if attempt.worktree is not None:
                self.report.saw("worktrees", is_new)
            bundle.attempts.append((attempt, is_new))
            self._plan_processes(bundle, attempt, known)
            for row in self._tables.merges_of(attempt.key):
                if vibe_rows.merge_id(row) not in known.merges:
                    bundle.merges.append((attempt, row))
            for prompt, variant in self._tables.drafts_of(attempt.key):
                if isinstance(prompt, str) and prompt.strip():
                    self.report.saw("drafts", is_new)
                    if is_new:
                        named = variant if isinstance(variant, str) else None
                        bundle.drafts.append((attempt, prompt, named))
        return bundle

    def _plan_image(self, bundle: _Bundle, old_name: str, name: str) -> None:
        if "/" in old_name or old_name in ("", ".", ".."):
            self.report.leave(f"image {name}: its file is called {old_name!r}", "images")
            return
        for folder in self._folders:
            if (file := folder / old_name).is_file():
                bundle.images.append(_Image(old_name, name, file))
                self.report.saw("images", bundle.is_new)
                return
        where = ", ".join(str(folder) for folder in self._folders) or "any folder"
        self.report.leave(f"image {name}: there is no file {old_name} in {where}", "images")

    def _plan_processes(self, bundle: _Bundle, attempt: OldAttempt, known: _Known) -> None:
        found = list(vibe_rows.processes(self._tables, attempt))
        for process in sorted(found, key=_began):
            if isinstance(process, Unreadable):
                self.report.leave(process, "processes")
                continue
            is_new = process.id not in known.processes
            self.report.saw("processes", is_new)
            if is_new:
                bundle.processes.append((attempt, process))
                self.report.log_bytes += self._tables.log_size(process.key)

    # ------------------------------------------------------------ doing it

    async def run(self, told: Callable[[str], object] | None = None) -> None:
        """Write everything that `plan` found to be new. It may be cancelled, and run again.

        Args:
            told: gets a word now and then on how far it is.

        Raises:
            Unavailable: the disk does not take it.
        """
        assert self._store is not None
        for tag in self._new_tags:
            await self._write_tag(tag)
        for project in self._new_projects:
            await self._store.write(lambda tx, p=project: _insert_project(tx, p))  # type: ignore[misc]
        await self._write_bundles(told or (lambda _: None))
        await self._store.write(self._write_parents)

    async def _write_bundles(self, told: Callable[[str], object]) -> None:
        """Several at a time: what takes long is that the disk has really written each of them."""
        waiting, done = iter(self._bundles), 0
        failures: list[AnyondError | sqlite3.Error] = []

        async def work() -> None:
            nonlocal done
            for bundle in waiting:
                try:
                    await self._write_bundle(bundle)
                except (AnyondError, sqlite3.Error) as failure:
                    failures.append(failure)
                    nursery.cancel_scope.cancel()
                done += 1
                if done % _WORD_EVERY == 0:
                    told(f"{done} of {len(self._bundles)} tasks")

        async with trio.open_nursery() as nursery:
            for _ in range(_AT_ONCE):
                nursery.start_soon(work)
        if failures:
            raise failures[0]

    async def _write_tag(self, tag: vibe_rows.OldTag) -> None:
        assert self._store is not None
        new = NewTag(tag_name=tag.name, content=tag.content)
        try:
            await self._store.write(lambda tx: _insert_tag(tx, tag, new))
        except AnyondError as refusal:
            self.report.leave(f"tag {tag.name}: {refusal}")

    async def _write_bundle(self, bundle: _Bundle) -> None:
        assert self._store is not None
        store = ImageFiles(self._places.images)
        for image in bundle.images if bundle.is_new else []:
            try:
                image.picture = await trio.to_thread.run_sync(_take_picture, store, image.file)
            except Unavailable:
                raise
            except (AnyondError, OSError) as refusal:
                self.report.leave(f"image {image.name}: {refusal}")
        for attempt, process in bundle.processes:
            await self._write_log(attempt, process)
        try:
            await self._store.write(lambda tx: self._write_rows(tx, bundle))
        except Unavailable:
            raise
        except AnyondError as refusal:
            self.report.leave(f"task {bundle.task.title}: {refusal}")

    async def _write_log(self, attempt: OldAttempt, process: OldProcess) -> None:
        """The spool of a process, as if Anyon had run it; one that is half made begins anew."""
        spool = Spool(self._places.executions / process.id)
        started = int(seconds(process.started_at) * 1e9)
        async with self._telling:  # one conversation in memory at a time
            telling = vibe_logs.Telling(process, attempt.worktree or "/")
            await trio.to_thread.run_sync(shutil.rmtree, spool.path, True)
            rows = self._tables.logs_of(process.key)
            for stream, data in vibe_logs.pieces(self._tables.connection, rows):
                spool.append_output(stream, data, started)
                telling.feed(stream, data)
                await trio.lowlevel.checkpoint()
            content = archive.encode(telling.frames())

        def finish() -> None:
            ended = int(seconds(process.ended_at) * 1e9)
            spool.write_exit(Exit(code=process.exit_code, ended_at=ended))
            files.write(spool.path / ENTRIES, content)

        await trio.to_thread.run_sync(finish)

    def _write_rows(self, tx: Tx, bundle: _Bundle) -> None:
        task = bundle.task
        if bundle.is_new:
            self._write_task(tx, bundle)
        for attempt, is_new in bundle.attempts:
            if is_new:
                _insert_attempt(tx, task, attempt)
        for attempt, process in bundle.processes:
            _insert_process(tx, attempt, process)
        for attempt, row in bundle.merges:
            if (problem := _insert_merge(tx, attempt, row)) is not None:
                self.report.leave(f"a merge of attempt {attempt.branch}: {problem}")
        for attempt, prompt, variant in bundle.drafts:
            patch = DraftPatch(prompt=prompt, variant=variant)
            drafts.save(tx, attempt.id, DraftType.FOLLOW_UP, patch, attempt.updated_at)
        if bundle.is_new:
            status = task.status
            if status is TaskStatus.IN_PROGRESS and bundle.attempts:
                # Nothing runs here that could end it; it waits for the person.
                status = TaskStatus.IN_REVIEW
            tasks.set_status(tx, task.id, status, task.updated_at)

    def _write_task(self, tx: Tx, bundle: _Bundle) -> None:
        task, description, ids = bundle.task, bundle.task.description, list[str]()
        for image in bundle.images:
            if (picture := image.picture) is None:
                continue
            row = images.insert(
                tx,
                id=vibe_rows.image_id(image.old_name),
                file_name=picture.file_name,
                original_name=image.name,
                mime_type=picture.mime_type,
                size_bytes=picture.size,
                hash=f"sha256:{picture.hash}",
                now=task.created_at,
            )
            ids.append(row.id)
            if description:
                old, new = f"{OLD_FOLDER}/{image.old_name}", row.file_path
                description = description.replace(old, new)
        new_task = NewTask(
            project_id=self._projects[task.project_id],
            title=task.title,
            description=description,
            image_ids=ids,
        )
        tasks.insert(tx, new_task, task.id, task.created_at)
        imported.note(tx, task.id)

    def _write_parents(self, tx: Tx) -> None:
        """At the end, since a task may come from an attempt that was imported after it."""
        here = set(_column(tx, "SELECT id FROM task_attempts"))
        written = set(_column(tx, "SELECT id FROM tasks"))
        for bundle in self._bundles:
            parent = bundle.task.parent
            if bundle.is_new and parent is not None and bundle.task.id in written:
                if parent in here:
                    patch = TaskPatch(parent_task_attempt=parent)
                    tasks.patch(tx, bundle.task.id, patch, bundle.task.updated_at)
                else:
                    self.report.leave(
                        f"task {bundle.task.title} is imported, but not what it comes from"
                    )


def _known(reader: Reader, again: bool) -> _Known:
    every = projects.all(reader)
    came: set[str] = set() if again else imported.all(reader)
    return _Known(
        deleted=came.__contains__,
        tasks=set(_column(reader, "SELECT id FROM tasks")),
        attempts=set(_column(reader, "SELECT id FROM task_attempts")),
        processes=processes.all_ids(reader),
        merges=set(_column(reader, "SELECT id FROM merges")),
        images=images.file_names(reader),
        projects={project.id: project.id for project in every},
        paths={project.git_repo_path: project.id for project in every},
        tags={tags.fold(tag.tag_name) for tag in tags.all(reader)},
    )


def _began(process: OldProcess | Unreadable) -> str:
    return process.started_at if isinstance(process, OldProcess) else ""


def _column(reader: Reader, sql: str) -> list[str]:
    return [value for (value,) in reader.execute(sql)]


def _take_picture(store: ImageFiles, file: Path) -> Picture:
    with store.incoming() as upload, file.open("rb") as source:
        while data := source.read(1 << 20):
            upload.write(data)
        picture = upload.finish()
        store.keep(upload, picture)
    return picture


def _insert_project(tx: Tx, old: OldProject) -> None:
    new = NewProject(
        name=old.name,
        git_repo_path=str(old.path),
        use_existing_repo=True,
        setup_script=old.setup_script,
        dev_script=old.dev_script,
        cleanup_script=old.cleanup_script,
        copy_files=old.copy_files,
    )
    projects.insert(tx, new, old.id, old.created_at)
    imported.note(tx, old.id)


def _insert_tag(tx: Tx, old: vibe_rows.OldTag, new: NewTag) -> None:
    tags.insert(tx, new, old.id, old.created_at)
    imported.note(tx, old.id)


def _insert_attempt(tx: Tx, task: OldTask, old: OldAttempt) -> None:
    attempts.insert(
        tx,
        id=old.id,
        task_id=task.id,
        branch=old.branch,
        target_branch=old.target_branch,
        executor=old.executor.value,
        now=old.created_at,
    )
    imported.note(tx, old.id)
    if old.setup_completed_at is not None:
        attempts.set_setup_completed(tx, old.id, old.setup_completed_at, old.updated_at)
    if old.worktree is not None:
        attempts.set_container(tx, old.id, old.worktree, old.updated_at)
    elif old.worktree_deleted:
        attempts.set_worktree_deleted(tx, old.id, True, old.updated_at)


def _insert_process(tx: Tx, attempt: OldAttempt, old: OldProcess) -> None:
    processes.insert(
        tx,
        id=old.id,
        attempt_id=attempt.id,
        run_reason=old.run_reason,
        executor_action=old.action,
        before_head_commit=old.before_head_commit,
        now=old.started_at,
    )
    if not isinstance(old.action.typ, ScriptRequest):
        left = Session(
            execution_process_id=old.id,
            task_attempt_id=attempt.id,
            session_id=old.session_id,
            prompt=old.prompt,
            summary=old.summary,
        )
        sessions.upsert(tx, left)
    processes.finish(
        tx,
        old.id,
        old.status,
        exit_code=None if old.status is ProcessStatus.KILLED else old.exit_code,
        after_head_commit=old.after_head_commit,
        at=old.ended_at,
    )
    if old.dropped:
        # Later ones may be here already, from an earlier import or run by Anyon.
        processes.drop_alone(tx, old.id, old.ended_at)


def _insert_merge(tx: Tx, attempt: OldAttempt, row: tuple[object, ...]) -> str | None:
    """Returns what is wrong with it, if it cannot be taken."""
    try:
        old = vibe_rows.merge(row)
    except Unreadable as problem:
        return str(problem)
    if isinstance(old.what, PullRequestInfo):
        merges.keep_pull_request(
            tx,
            id=old.id,
            attempt_id=attempt.id,
            target_branch_name=old.target_branch,
            info=old.what,
            now=old.created_at,
        )
    else:
        merges.insert_direct(
            tx,
            id=old.id,
            attempt_id=attempt.id,
            merge_commit=old.what,
            target_branch_name=old.target_branch,
            now=old.created_at,
        )
    return None
