"""The plan of an import: what a vibe-kanban holds and is not here yet; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio
from msgspec import Struct, field

from anyond.files.images import Picture
from anyond.importing import vibe_leftovers, vibe_rows
from anyond.importing.known import OLD_FOLDER, Known
from anyond.importing.report import Report
from anyond.importing.vibe_records import (
    OldAttempt,
    OldProcess,
    OldProject,
    OldTag,
    OldTask,
    Unreadable,
)
from anyond.importing.vibe_tables import Tables
from anyond.model.errors import AnyondError
from anyond.model.rows import ProcessStatus
from anyond.store.board import tags


class Image(Struct):
    """One picture of the old database, and what became of it."""

    old_name: str
    name: str
    file: Path
    picture: Picture | None = None


class Bundle(Struct):
    """One task and everything of it that is new."""

    task: OldTask
    is_new: bool
    images: list[Image] = field(default_factory=list)
    """Those that are not here yet, also of a task that is."""
    attempts: list[tuple[OldAttempt, bool]] = field(default_factory=list)
    processes: list[tuple[OldAttempt, OldProcess]] = field(default_factory=list)
    ended: list[tuple[OldAttempt, OldProcess]] = field(default_factory=list)
    """Processes that are here, but only as far as they were at an earlier import."""
    merges: list[tuple[OldAttempt, tuple[object, ...]]] = field(default_factory=list)
    drafts: list[tuple[OldAttempt, str, str | None]] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """True if all of it is here already."""
        if self.is_new or any(is_new for _, is_new in self.attempts):
            return False
        new = (self.images, self.processes, self.ended, self.merges, self.drafts)
        return not any(new)


class Plan:
    """All that is new, in the order in which it has to be written.

    Args:
        picture_folders: where the pictures may lie.
    """

    def __init__(self, tables: Tables, picture_folders: Sequence[Path], known: Known) -> None:
        self._tables = tables
        self._folders = picture_folders
        self._known = known
        self._deleted: set[str] = set()
        self.tags: list[OldTag] = []
        self.projects: list[OldProject] = []
        self.project_ids: dict[str, str] = {}
        """Under which id each of the old projects is here, or will be."""
        self.bundles: list[Bundle] = []
        self.report = Report()

    async def make(self) -> None:
        """Look at everything.

        Raises:
            Invalid: the database has a shape that is not known.
        """
        known = self._known
        self._plan_projects()
        self._plan_tags()
        for task in vibe_rows.tasks(self._tables):
            if isinstance(task, Unreadable):
                self.report.leave(task, "tasks")
            elif task.project_id in self._deleted or (
                task.id not in known.tasks and known.deleted(task.id)
            ):
                self.report.stays_deleted("tasks")
            elif task.project_id not in self.project_ids:
                self.report.leave(f"task {task.title}: its project is not imported", "tasks")
            else:
                bundle = self._plan_task(task)
                if not bundle.is_known:
                    self.bundles.append(bundle)
                await trio.lowlevel.checkpoint()
        for sentence in vibe_leftovers.sentences(self._tables):
            self.report.leave(sentence)

    def _plan_projects(self) -> None:
        for project in vibe_rows.projects(self._tables):
            if isinstance(project, Unreadable):
                self.report.leave(project, "projects")
                continue
            here = self._known.projects.get(project.id) or self._known.paths.get(str(project.path))
            if here is None and self._known.deleted(project.id):
                self.report.stays_deleted("projects")
                self._deleted.add(project.id)
                continue
            self.project_ids[project.id] = here or project.id
            self.report.saw("projects", here is None)
            if here is None:
                self.projects.append(project)
                self._known.paths[str(project.path)] = project.id
                if not (project.path / ".git").exists():
                    self.report.leave(
                        f"project {project.name} is imported, but {project.path} is no repository "
                        "now: put it back, or change the path"
                    )

    def _plan_tags(self) -> None:
        for tag in vibe_rows.tags(self._tables):
            if isinstance(tag, Unreadable):
                self.report.leave(tag, "tags")
                continue
            try:
                folded = tags.possible(tag.name)
            except AnyondError as refusal:
                self.report.leave(f"tag {tag.name}: {refusal}", "tags")
                continue
            if folded not in self._known.tags and self._known.deleted(tag.id):
                self.report.stays_deleted("tags")
                continue
            self.report.saw("tags", folded not in self._known.tags)
            if folded not in self._known.tags:
                self._known.tags.add(folded)
                self.tags.append(tag)

    def _plan_task(self, task: OldTask) -> Bundle:
        bundle = Bundle(task, task.id not in self._known.tasks)
        self.report.saw("tasks", bundle.is_new)
        for _, old_name, name in self._tables.images_of(task.key):
            self._plan_image(bundle, str(old_name), str(name or old_name))
        for attempt in vibe_rows.attempts(self._tables, task):
            if isinstance(attempt, Unreadable):
                self.report.leave(attempt, "attempts")
                continue
            is_new = attempt.id not in self._known.attempts
            if is_new and self._known.deleted(attempt.id):
                self.report.stays_deleted("attempts")
                continue
            self.report.saw("attempts", is_new)
            if attempt.worktree is not None:
                self.report.saw("worktrees", is_new)
            bundle.attempts.append((attempt, is_new))
            self._plan_processes(bundle, attempt)
            for row in self._tables.merges_of(attempt.key):
                if vibe_rows.merge_id(row) not in self._known.merges:
                    bundle.merges.append((attempt, row))
            for prompt, variant in self._tables.drafts_of(attempt.key):
                if isinstance(prompt, str) and prompt.strip():
                    self.report.saw("drafts", is_new)
                    if is_new:
                        named = variant if isinstance(variant, str) else None
                        bundle.drafts.append((attempt, prompt, named))
        return bundle

    def _plan_image(self, bundle: Bundle, old_name: str, name: str) -> None:
        if "/" in old_name or old_name in ("", ".", ".."):
            self.report.leave(f"image {name}: its file is called {old_name!r}", "images")
            return
        link = f"{OLD_FOLDER}/{old_name}"
        if not bundle.is_new and link not in self._known.lacking.get(bundle.task.id, ""):
            self.report.saw("images", False)
            return
        for folder in self._folders:
            if (file := folder / old_name).is_file():
                bundle.images.append(Image(old_name, name, file))
                self.report.saw("images", True)
                return
        where = ", ".join(str(folder) for folder in self._folders) or "any folder"
        why = f"there is no file {old_name} in {where}"
        if link in (bundle.task.description or ""):
            why += "; another import, with --images DIRECTORY, brings it"
        self.report.leave(f"image {name}: {why}", "images")

    def _plan_processes(self, bundle: Bundle, attempt: OldAttempt) -> None:
        found = list(vibe_rows.processes(self._tables, attempt))
        old = {process.id for process in found if isinstance(process, OldProcess)}
        for process in sorted(found, key=_began):
            if isinstance(process, Unreadable):
                self.report.leave(process, "processes")
                continue
            is_new = process.id not in self._known.processes
            self.report.saw("processes", is_new)
            self.report.unended += not process.has_ended
            if is_new:
                bundle.processes.append((attempt, process))
                self.report.log_bytes += self._tables.log_size(process.key)
            elif self._has_ended_since(process):
                if any(p not in old for p, at in self._known.processes.items() if at == attempt.id):
                    self.report.leave(
                        f"the end of a process of attempt {attempt.branch}: it had not ended at an "
                        "earlier import, and work has gone on here since"
                    )
                else:
                    bundle.ended.append((attempt, process))
                    self.report.completed += 1

    def _has_ended_since(self, process: OldProcess) -> bool:
        """Return whether what is here is what an earlier import made of a process that had not
        ended.
        """
        then = self._known.killed.get(process.id)
        now = process.ended_at if process.status is ProcessStatus.KILLED else None
        return process.has_ended and then is not None and then != now


def _began(process: OldProcess | Unreadable) -> str:
    return process.started_at if isinstance(process, OldProcess) else ""
