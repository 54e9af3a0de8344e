"""Requests about attempts, each from the check of its input to its answer."""

from __future__ import annotations

from pathlib import Path

import trio

from anyond.actors.attempts import Attempts
from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.errors import AnyondError
from anyond.model.http.answers import Relations, Replaced
from anyond.model.http.bodies import ApprovalAnswer, FollowUp, NewAttempt, NewTask, Replacing
from anyond.model.ids import now
from anyond.model.rows import (
    Approval,
    ExecutionProcess,
    ProcessStatus,
    TaskAttempt,
    TaskWithAttemptStatus,
)
from anyond.operations.resources import Resources
from anyond.operations.run import creation
from anyond.operations.run.agent_setup import set_up
from anyond.operations.run.follow_up import follow_up
from anyond.operations.run.replacing import replace_process
from anyond.operations.subject import read as read_subject
from anyond.operations.turn import questions, steering
from anyond.operations.workspace import containers, removal
from anyond.operations.workspace.file_deletion import delete_file
from anyond.services.jobs import Jobs
from anyond.store.board import attempts, drafts, tasks
from anyond.store.board.attempts import Place
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes
from anyond.watchers.janitor import Janitor
from anyond.watchers.logs import Logs


class AttemptRequests:
    """The requests of clients that concern attempts."""

    def __init__(
        self, resources: Resources, attempts: Attempts, logs: Logs, janitor: Janitor
    ) -> None:
        self._resources = resources
        self._attempts = attempts
        self._jobs = Jobs(resources, attempts)
        self._logs = logs
        self._janitor = janitor

    async def create(self, new: NewAttempt) -> TaskAttempt:
        """An attempt whose worktree exists and whose first process runs.

        Raises:
            NotFound, Impossible: nothing was written.
            AnyondError: it could not be started; the attempt exists, and its log shows why.
        """
        with _whole():
            attempt, process = await creation.attempt(
                self._resources, new.task_id, new.executor_profile_id, new.base_branch
            )
        await self._begin(process)
        return await self._resources.store.read(lambda r: attempts.get(r, attempt.id))

    async def create_and_start(
        self, new: NewTask, profile: ExecutorProfileId, base_branch: str
    ) -> TaskWithAttemptStatus:
        """A task with an attempt that runs; raises as `create`."""
        with _whole():
            attempt, process = await creation.task_and_attempt(
                self._resources, new, profile, base_branch
            )
        await self._begin(process)
        return await self._resources.store.read(lambda r: tasks.with_status(r, attempt.task_id))

    async def _begin(self, process: ExecutionProcess) -> None:
        """Raises as `create`; its data then names the attempt that exists all the same."""
        self._logs.begin(process.id)
        try:
            await self._attempts.begin(process)
        except AnyondError as error:
            error.add(task_attempt_id=process.task_attempt_id)
            raise

    async def follow_up(self, attempt_id: str, body: FollowUp) -> ExecutionProcess:
        """The agent, asked again; or told something while it works, if that is wanted.

        Raises:
            Busy: something is at work in the attempt.
            AnyondError: see `operations.follow_up` and `operations.steering`.
        """
        if body.steer and (process := await self._steer(attempt_id, body)) is not None:
            return process
        return await self._jobs.start(attempt_id, follow_up, body)

    async def _steer(self, attempt_id: str, body: FollowUp) -> ExecutionProcess | None:
        subject = await read_subject(self._resources, attempt_id)
        running = await self._resources.store.read(lambda r: steering.at_work(r, attempt_id))
        if running is None:
            return None
        with _whole():
            process = await steering.steer(self._resources, subject, running, body)
            if process is not None:
                self._attempts.steer(process)
        return process

    async def replace_process(self, attempt_id: str, body: Replacing) -> Replaced:
        """Another run of the agent instead of an earlier one; see `operations.replacing`."""
        return await self._jobs.start_with_answer(attempt_id, replace_process, body)

    async def run_agent_setup(self, attempt_id: str, profile: ExecutorProfileId) -> None:
        """Install or log in an agent; see `operations.agent_setup`."""
        await self._jobs.start(attempt_id, set_up, profile)

    async def at(self, path: Path) -> Place:
        """The attempt whose worktree `path` lies in. Raises `NotFound`."""
        return await containers.find(self._resources, path)

    async def stop(self, attempt_id: str) -> None:
        """Stop all that runs in the attempt; returns when nothing of it is left.

        What was queued for afterwards is a mere draft again.
        """

        def quiet(tx: Tx) -> None:
            attempts.get(tx, attempt_id)
            drafts.unqueue(tx, attempt_id, now())

        await self._resources.store.write(quiet)
        await self._attempts.halt(attempt_id)

    async def stop_process(self, process_id: str) -> None:
        """Stop one process; returns when nothing of it is left, at once if it is over."""
        process = await self._resources.store.read(lambda r: processes.get(r, process_id))
        if process.status is ProcessStatus.RUNNING:
            await self._attempts.halt_process(process.task_attempt_id, process_id)

    async def delete_file(self, attempt_id: str, file_path: str) -> None:
        """Delete a file of the worktree; see `operations.file_deletion`."""
        await self._jobs.run(attempt_id, delete_file, file_path)

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

        return await self._resources.store.read(work)

    async def respond(self, approval_id: str, given: ApprovalAnswer) -> Approval:
        """Decide a question of an agent; the first answer wins.

        Raises:
            NotFound: there is no such question.
            Conflict: it was decided differently before.
            Invalid: it cannot reach that far.
        """
        with _whole():
            decided, settled = await self._resources.store.write(
                lambda tx: questions.answer_and_allow(tx, approval_id, given, now())
            )
        for one in settled:
            self._attempts.decide(one)
        return decided

    async def delete(self, attempt_id: str) -> None:
        """Delete an attempt; its worktree goes in the background, its branch stays.

        Raises:
            NotFound: there is no such attempt.
            Busy: something is at work in it.
        """
        await self._attempts.end_services(attempt_id)
        with _whole(), self._attempts.hold_inactive(attempt_id):
            await removal.delete_attempt(self._resources, attempt_id)
        self._janitor.wake()

    async def delete_task(self, task_id: str) -> None:
        """Delete a task; its worktrees go in the background.

        Raises:
            NotFound: there is no such task.
            Busy: something is at work in one of its attempts.
        """
        gone = await self._resources.store.read(lambda r: attempts.fetch_all(r, task_id))
        await self._attempts.end_services(*(attempt.id for attempt in gone))
        with _whole(), self._attempts.hold_inactive(*(attempt.id for attempt in gone)):
            await removal.delete_task(self._resources, task_id)
        self._janitor.wake()


def _whole() -> trio.CancelScope:
    """A client that goes away cancels its request: not between a write and what must follow it."""
    return trio.CancelScope(shield=True)
