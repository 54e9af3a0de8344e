"""Requests about editors, and waiting for their processes: none of them stays as a zombie."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.actors.attempts import Attempts
from anyond.model.configuration.settings import EditorType
from anyond.model.http.answers import EditorOpened
from anyond.model.http.bodies import OpenEditor
from anyond.model.launch import Launch
from anyond.model.refusals.programs import ToolFailed
from anyond.operations import editors
from anyond.operations.editors import View
from anyond.operations.resources import Resources
from anyond.operations.subject import read as read_subject
from anyond.operations.workspace import worktree
from anyond.procs import detached
from anyond.services.jobs import Jobs
from anyond.store.board import projects

FAILS_WITHIN_S = 1.0
"""Seconds in which a program that cannot do its work is expected to say so by its exit code."""


class Editors:
    """Opens editors; they live on when the daemon ends.

    Args:
        nursery: where they are waited for.
    """

    def __init__(self, nursery: trio.Nursery, resources: Resources, attempts: Attempts) -> None:
        self._nursery = nursery
        self._resources = resources
        self._jobs = Jobs(resources, attempts)

    async def open_project(self, project_id: str, body: OpenEditor) -> EditorOpened:
        """Show the repository of a project in an editor."""
        project = await self._resources.store.read(lambda r: projects.get(r, project_id))
        return await self._open(View(Path(project.git_repo_path)), body.editor_type)

    async def open_attempt(self, attempt_id: str, body: OpenEditor) -> EditorOpened:
        """Show a worktree, or a file in it, in an editor.

        Raises:
            Invalid, NotFound: there is no such file in the worktree.
            ProgramMissing, ToolFailed: the editor does not start.
        """
        subject = await read_subject(self._resources, attempt_id)
        if not await trio.to_thread.run_sync(os.path.isdir, subject.worktree):
            subject = await self._jobs.run(attempt_id, worktree.prepare)
        view = await trio.to_thread.run_sync(editors.view_of_attempt, subject, body.file_path)
        return await self._open(view, body.editor_type)

    async def _open(self, view: View, chosen: EditorType | None) -> EditorOpened:
        settings = self._resources.config.config.editor
        url = editors.remote_url(settings, chosen, view)
        if url is None:
            await self._start(editors.command(settings, chosen, view))
        return EditorOpened(url=url)

    async def _start(self, launch: Launch) -> None:
        """Start a program for the person.

        Raises:
            ProgramMissing: it is not there.
            ToolFailed: it cannot be started, or it fails at once.
        """
        process = await detached.start(launch)
        self._nursery.start_soon(process.wait)
        with trio.move_on_after(FAILS_WITHIN_S):
            await process.wait()
        if process.returncode:
            name = launch.argv[0]
            how = (
                f"exited with code {process.returncode}"
                if process.returncode > 0
                else f"was ended by signal {-process.returncode}"
            )
            raise ToolFailed(name, f"{name} {how} right after it was started.")
