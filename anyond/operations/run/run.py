"""Starting one process of a chain: its row, its worktree, its shim."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog
import trio
from msgspec import Struct
from msgspec.structs import replace

from anyond.git.commits import saved_commits as keeping
from anyond.git.repo import checkouts
from anyond.logs.conversation import Conversation
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.ids import new_id, now
from anyond.model.records import Exit
from anyond.model.refusals.programs import ProgramMissing
from anyond.model.refusals.runs import NotStarted, Stopped
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptRequest,
    Session,
    TaskStatus,
)
from anyond.operations import remarks
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn import (
    agent_access,
    chain,
    launch_recipe,
    reading,
    steering,
    undelivered,
)
from anyond.operations.turn.end_reason import write_reason
from anyond.operations.turn.launched import record_processes
from anyond.operations.turn.notifications import notify
from anyond.operations.turn.turn_record import TurnRecord
from anyond.operations.workspace import git_programs, images, worktree
from anyond.procs.shims.launcher import Alive, Launcher
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.board import drafts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import launches, processes, sessions

log = structlog.get_logger()

REPLAYED_AT_ONCE = 1 << 16
"""Bytes of a log that are read in one go: a few milliseconds of work."""


class Started(Struct, frozen=True):
    """A process that runs now."""

    process: ExecutionProcess
    running: ShimConnection
    turn_record: TurnRecord | None
    subject: Subject


def insert(tx: Tx, attempt_id: str, task_id: str, action: ExecutorAction) -> ExecutionProcess:
    """The row of a process that is about to run; the task is in progress from now on.

    Its spool does not exist yet: that is how a restarted daemon knows that it must still start it.
    """
    moment = now()
    reason = chain.reason(action)
    process = processes.insert(
        tx,
        id=new_id(),
        attempt_id=attempt_id,
        run_reason=reason,
        executor_action=action,
        now=moment,
    )
    if not isinstance(action.typ, ScriptRequest):
        sessions.upsert(
            tx,
            Session(
                execution_process_id=process.id,
                task_attempt_id=attempt_id,
                session_id=None,
                prompt=action.typ.prompt,
                summary=None,
            ),
        )
    if reason is not RunReason.DEV_SERVER:
        tasks.set_status(tx, task_id, TaskStatus.IN_PROGRESS, moment)
    return process


Stoppable = Callable[[], AbstractContextManager[trio.CancelScope]]
"""Makes a scope that is cancelled when somebody has waited long enough for a stop."""


async def start(
    resources: Resources,
    process: ExecutionProcess,
    subject: Subject,
    *,
    go_on: Callable[[], bool],
    stoppable: Stoppable,
) -> Started:
    """Start the program of a row that `insert` made.

    If that fails, whatever the reason, the row is final, its log says why, the task is in review,
    and a message that was sent with it is a draft again.

    Args:
        go_on: asked once the worktree is there: whether it should still be started.
        stoppable: for the making of the worktree, which takes as long as its hooks like.

    Raises:
        AnyondError: why it did not start.
    """
    # A dev server runs beside an agent.
    alone = process.run_reason is not RunReason.DEV_SERVER
    try:
        with stoppable() as scope:
            subject = await worktree.prepare(resources, subject, alone=alone)
        if scope.cancelled_caught:
            raise Stopped("while its worktree was being made")
        path = subject.worktree
        await images.place(resources, subject.task.id, path)
        if not go_on():
            raise Stopped("before it had started")
        await git_programs.begin(resources, subject, process)
        prepared = await launch_recipe.write_recipe(
            resources, process, subject.project, str(subject.workdir), str(path)
        )
        head = await checkouts.head(path)
        if alone:
            await keeping.guard_stash(subject.repository, process.task_attempt_id)
        turn_record = prepared.turn_record

        def before(tx: Tx) -> ExecutionProcess:
            if turn_record is not None:
                # If this is a second try after a crash, something may have been said meanwhile.
                messages = list(steering.sent_messages(tx, process.id))
                sessions.keep_turn(tx, process.id, replace(turn_record, messages=messages).encode())
            return processes.set_before_commit(tx, process.id, head, now()) if head else process

        process = await resources.store.write(before)
        key = secrets.token_hex(32)
        running = await resources.launcher.start(
            process.id,
            replace(
                prepared.launch,
                env={**agent_access.variables(resources, process.id), **prepared.launch.env},
            ),
            limit=resources.config.config.log_limit_bytes,
            key=key,
            record=lambda: resources.store.write(
                lambda tx: launches.record(tx, process.id, key, now())
            ),
        )
        await record_processes(resources, running)
    except Exception as error:
        why = refusal(error, process)
        await fail_start(resources, process, subject, why)
        raise why from error
    if turn_record is not None:
        # The log of a script is its output alone; it says what waits at its end.
        await remarks.deliver_waiting(resources, process.task_attempt_id, running)
    return Started(process, running, turn_record, subject)


def refusal(error: Exception, process: ExecutionProcess) -> AnyondError:
    """Return the refusal for an exception that ended the start of a process."""
    if isinstance(error, AnyondError):
        return error
    if isinstance(error, OSError):
        return Unavailable(f"{error.filename or 'A file'}: {error.strerror}.")
    log.exception("start_crashed", process=process.id, exc_info=error)
    return NotStarted(error)


async def fail_start(
    resources: Resources, process: ExecutionProcess, subject: Subject, error: AnyondError
) -> None:
    """Make the row of a process final that did not start; does nothing if it is final.

    Raises:
        Unavailable: the database does not take it.
    """
    moment = time.time_ns()
    stopped = isinstance(error, Stopped)
    text = str(error)
    try:
        if isinstance(resources.launcher.look(process.id), Alive):
            # It was started, and could not be reached: nobody would ever end it.
            await resources.launcher.finalize_lost(process.id, str(error), force=True)
            remarks_of_git = await git_programs.end(resources, subject, process)
            text = "\n".join([text, *(remark.text for remark in remarks_of_git)])
        else:
            git_programs.not_started(subject, process)
        setup = isinstance(error, ProgramMissing)
        await write_reason(resources, process, text, setup=setup)
        resources.launcher.spool(process.id).write_exit(Exit(error=str(error), ended_at=moment))
    except Exception as unwritten:
        # The row must not wait for a log that cannot be written, whatever is wrong with that.
        log.warning("reason_not_written", process=process.id, why=str(unwritten))

    status = ProcessStatus.KILLED if stopped else ProcessStatus.FAILED

    def final(tx: Tx) -> bool:
        if not processes.finish(
            tx,
            process.id,
            status=status,
            exit_code=None,
            after_head_commit=None,
            at=now(),
        ):
            return False
        if process.run_reason is RunReason.DEV_SERVER:
            return False
        undelivered.give_back(tx, process, now())
        drafts.unqueue(tx, subject.attempt.id, now())
        review(tx, subject.task.id, process.run_reason)
        return True

    if await resources.store.write(final):
        await notify(resources, subject, status)


def review(tx: Tx, task_id: str, reason: RunReason) -> None:
    """The chain is over: the task waits for a person, unless it is done or cancelled."""
    if reason is RunReason.DEV_SERVER:
        return
    if tasks.get(tx, task_id).status is TaskStatus.IN_PROGRESS:
        tasks.set_status(tx, task_id, TaskStatus.IN_REVIEW, now())


async def replay(
    launcher: Launcher, process: ExecutionProcess, turn_record: TurnRecord | None
) -> Conversation | None:
    """The conversation of an execution, rebuilt from its spool; None for a script."""
    if turn_record is None:
        return None
    await turn_record.load()
    conversation = Conversation(process.id, turn_record.dialogue(), turn_record.approval_timeout_s)
    reader = launcher.spool(process.id).records()
    try:
        while records := reader.read(REPLAYED_AT_ONCE):
            await reading.feed(conversation, records)
    finally:
        reader.close()
    return conversation
