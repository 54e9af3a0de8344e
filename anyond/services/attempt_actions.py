"""What clients may do to an attempt besides starting, asking, merging and stopping it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

import structlog
import trio

from anyond.actors.attempts import Attempts
from anyond.model.answers import (
    CommitComparison,
    CommitInfo,
    EditorOpened,
    Relations,
    Renamed,
    Replaced,
    TargetChanged,
)
from anyond.model.bodies import NewBranchName, NewTarget, OpenEditor, Rebasing, Replacing
from anyond.model.errors import AnyondError
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ExecutionProcess
from anyond.model.settings import EditorType, ExecutorProfileId
from anyond.operations import editors, subject
from anyond.operations.branch import branch_naming, commits, rebasing
from anyond.operations.editors import View
from anyond.operations.rooms import Rooms
from anyond.operations.run import dev_server
from anyond.operations.run.agent_setup import set_up
from anyond.operations.run.replacing import replace_process
from anyond.operations.workspace import worktree
from anyond.operations.workspace.file_deletion import delete_file
from anyond.services.editors import Editors
from anyond.services.jobs import Jobs
from anyond.store import attempts, intents, processes, projects, tasks
from anyond.store.transaction import Reader

log = structlog.get_logger()

SETTLING_S = 10.0
"""So long a start waits for what was cut short in git."""


class AttemptActions:
    """Each method is one request; whoever is refused with `Busy` has changed nothing.

    What changes a worktree is a job of its attempt, and goes on if the client goes away.
    """

    def __init__(self, rooms: Rooms, awake: Attempts, opener: Editors) -> None:
        self._rooms = rooms
        self._awake = awake
        self._jobs = Jobs(rooms, awake)
        self._opener = opener
        self._starting: WeakValueDictionary[str, trio.Lock] = WeakValueDictionary()

    async def recover(self) -> None:
        """Settle what was under way in git when the last daemon ended.

        Returns when all is settled, or after `SETTLING_S`: then it goes on, and whoever asks for
        something in such an attempt is refused with `Busy`.
        """
        under_way = await self._rooms.store.read(intents.all)
        with trio.move_on_after(SETTLING_S):
            async with trio.open_nursery() as nursery:
                for intent in under_way:
                    nursery.start_soon(self._settle, intent.attempt_id)

    async def _settle(self, attempt_id: str) -> None:
        try:
            await self._jobs.settle(attempt_id)
        except Busy as refusal:
            # It runs again, and settles it at its end; or a git is still at it.
            log.info("not_settled", attempt=attempt_id, why=str(refusal))
        except AnyondError as error:
            log.warning("not_settled", attempt=attempt_id, why=str(error))

    # ------------------------------------------------------------ the agent

    async def replace_process(self, attempt_id: str, wanted: Replacing) -> Replaced:
        """Another run of the agent instead of an earlier one; see `operations.replacing`."""
        return await self._jobs.start_with_answer(attempt_id, replace_process, wanted)

    async def run_agent_setup(self, attempt_id: str, profile: ExecutorProfileId) -> None:
        """Install or log in an agent; see `operations.agent_setup`."""
        await self._jobs.start(attempt_id, set_up, profile)

    async def start_dev_server(self, attempt_id: str) -> None:
        """Start the project's dev server here, after all others of the project have ended.

        Raises:
            Conflict: `no_dev_script`; nothing was stopped.
            Busy: an operation is at work in the attempt; an agent or script does not count.
        """
        about = await subject.read(self._rooms, attempt_id)
        dev_server.script(about)
        # Shielded: a client that goes away must not let another start one at the same time.
        with trio.CancelScope(shield=True):
            async with self._one_at_a_time(about.project.id):
                await self._stop_dev_servers(about.project.id)
                await self._jobs.start_alongside(attempt_id, dev_server.insert)

    async def _stop_dev_servers(self, project_id: str) -> None:
        async def stop(row: ExecutionProcess) -> None:
            await self._awake.halt_process(row.task_attempt_id, row.id)

        rows = await self._rooms.store.read(
            lambda r: processes.dev_servers_of_project(r, project_id)
        )
        async with trio.open_nursery() as nursery:
            for row in rows:
                nursery.start_soon(stop, row)

    @asynccontextmanager
    async def _one_at_a_time(self, project_id: str) -> AsyncIterator[None]:
        # A lock lives as long as somebody holds or awaits it.
        lock = self._starting.setdefault(project_id, trio.Lock())
        async with lock:
            yield

    # ------------------------------------------------------------ git

    async def rebase(self, attempt_id: str, wanted: Rebasing) -> None:
        """Put the attempt on a newer base; see `operations.rebasing`."""
        await self._jobs.run(attempt_id, rebasing.rebase_attempt, wanted)

    async def abort_conflicts(self, attempt_id: str) -> None:
        """Go back to before what is in progress in the worktree, if anything is."""
        await self._jobs.run(attempt_id, rebasing.abort_conflicts)

    async def change_target(self, attempt_id: str, wanted: NewTarget) -> TargetChanged:
        """Choose another target branch. Also possible while an agent works."""
        about = await subject.read(self._rooms, attempt_id)
        return await branch_naming.change_target(self._rooms, about, wanted.new_target_branch)

    async def rename_branch(self, attempt_id: str, wanted: NewBranchName) -> Renamed:
        """Give the attempt's branch another name; see `operations.branch_naming`."""
        rename = branch_naming.rename_branch
        name = await self._jobs.run(attempt_id, rename, wanted.new_branch_name)
        return Renamed(branch=name)

    async def delete_file(self, attempt_id: str, file_path: str) -> None:
        """Delete a file of the worktree; see `operations.file_deletion`."""
        await self._jobs.run(attempt_id, delete_file, file_path)

    # ------------------------------------------------------------ looking

    async def commit_info(self, attempt_id: str, text: str) -> CommitInfo:
        """What a commit is about."""
        return await commits.info(await subject.read(self._rooms, attempt_id), text)

    async def commit_compare(self, attempt_id: str, text: str) -> CommitComparison:
        """How a commit relates to the attempt's HEAD."""
        return await commits.compare(await subject.read(self._rooms, attempt_id), text)

    async def relations(self, attempt_id: str) -> Relations:
        """The tasks around an attempt."""

        def work(reader: Reader) -> Relations:
            attempt = attempts.get(reader, attempt_id)
            origin = tasks.get(reader, attempt.task_id).parent_task_attempt
            parent = attempts.get(reader, origin).task_id if origin is not None else None
            return Relations(
                parent_task=tasks.get(reader, parent) if parent is not None else None,
                current_attempt=attempt,
                children=tasks.children(reader, attempt_id),
            )

        return await self._rooms.store.read(work)

    async def open_project(self, project_id: str, wanted: OpenEditor) -> EditorOpened:
        """Show the repository of a project in an editor."""
        project = await self._rooms.store.read(lambda r: projects.get(r, project_id))
        return await self._open(View(Path(project.git_repo_path)), wanted.editor_type)

    async def open_attempt(self, attempt_id: str, wanted: OpenEditor) -> EditorOpened:
        """Show a worktree, or a file in it, in an editor.

        Raises:
            Invalid, NotFound: there is no such file in the worktree.
            ProgramMissing, ToolFailed: the editor does not start.
        """
        about = await subject.read(self._rooms, attempt_id)
        if not await trio.to_thread.run_sync(os.path.isdir, about.worktree):
            about = await self._jobs.run(attempt_id, worktree.prepare)
        view = await trio.to_thread.run_sync(editors.view_of_attempt, about, wanted.file_path)
        return await self._open(view, wanted.editor_type)

    async def _open(self, view: View, chosen: EditorType | None) -> EditorOpened:
        settings = self._rooms.config.config.editor
        url = editors.remote_url(settings, chosen, view)
        if url is None:
            await self._opener.open(editors.command(settings, chosen, view))
        return EditorOpened(url=url)
