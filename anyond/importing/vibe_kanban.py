"""Importing a person's vibe-kanban as rows, logs and images of Anyon, each of them once.

Theory of operation. Everything keeps the id that it had, so that what is here already is known by
its id, and a second import (or one after a crash) brings only what is still missing: rows that are
not here, and the end of what had not ended. A process has its log before it has its row; a task
comes with its attempts and processes in one transaction.
Worktrees and branches stay where they are and are used from there; nothing in them is touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import trio

from anyond.host.app_paths import AppPaths
from anyond.importing.known import Known
from anyond.importing.report import Report
from anyond.importing.vibe_files import Files
from anyond.importing.vibe_plan import Bundle, Plan
from anyond.importing.vibe_records import OldTag
from anyond.importing.vibe_tables import Tables
from anyond.importing.vibe_writing import Rows
from anyond.model.errors import AnyondError, Unavailable
from anyond.store.engine.database import Store

_AT_ONCE = 16
_WORD_EVERY = 500


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
        paths: AppPaths,
        store: Store | None,
        picture_folders: Sequence[Path],
        *,
        again: bool = False,
    ) -> None:
        self._tables = tables
        self._paths = paths
        self._store = store
        self._folders = picture_folders
        self._again = again
        self._plan: Plan | None = None

    async def plan(self) -> Report:
        """Look at everything, and write nothing.

        Raises:
            Invalid: the database has a shape that is not known.
        """
        known = (
            Known.nothing()
            if self._store is None
            else await self._store.read(partial(Known.read, again=self._again))
        )
        self._plan = Plan(self._tables, self._folders, known)
        await self._plan.make()
        return self._plan.report

    async def run(self, progress: Callable[[str], object] | None = None) -> None:
        """Write everything that `plan` found to be new. It may be cancelled, and run again.

        Args:
            progress: called now and then with a text on how far it is.

        Raises:
            Unavailable: the disk does not take it.
        """
        assert self._store is not None
        assert self._plan is not None
        plan = self._plan
        await _Writer(plan, Files(self._tables, self._paths, plan.report), self._store).run(
            progress or (lambda _: None)
        )


class _Writer:
    """Writes one plan: several tasks at a time, and of each the files before the rows."""

    def __init__(self, plan: Plan, files: Files, store: Store) -> None:
        self._plan = plan
        self._files = files
        self._store = store
        self._rows = Rows(plan)

    async def run(self, progress: Callable[[str], object]) -> None:
        for tag in self._plan.tags:
            await self._write_tag(tag)
        for project in self._plan.projects:
            await self._store.write(partial(self._rows.project, old=project))
        await self._write_bundles(progress)
        await self._store.write(self._rows.parents)

    async def _write_bundles(self, progress: Callable[[str], object]) -> None:
        """Several at a time: what takes long is that the disk has really written each of them."""
        waiting, done = iter(self._plan.bundles), 0
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
                    progress(f"{done} of {len(self._plan.bundles)} tasks")

        async with trio.open_nursery() as nursery:
            for _ in range(_AT_ONCE):
                nursery.start_soon(work)
        if failures:
            raise failures[0]

    async def _write_tag(self, tag: OldTag) -> None:
        try:
            await self._store.write(partial(self._rows.tag, old=tag))
        except AnyondError as refusal:
            self._plan.report.leave(f"tag {tag.name}: {refusal}")

    async def _write_bundle(self, bundle: Bundle) -> None:
        await self._files.write(bundle)
        try:
            await self._store.write(partial(self._rows.bundle, bundle=bundle))
        except Unavailable:
            raise
        except AnyondError as refusal:
            self._plan.report.leave(f"task {bundle.task.title}: {refusal}")
