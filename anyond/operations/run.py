"""How one link of a chain begins: its row, its worktree, its shim."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import trio
from msgspec.structs import replace

from anyond.agents.core import AgentEvent
from anyond.git import checkouts
from anyond.git import kept as keeping
from anyond.logs import archive, notes
from anyond.logs.conversation import Conversation
from anyond.model.errors import AnyondError, Conflict, ProgramMissing, Unavailable
from anyond.model.ids import new_id, now
from anyond.model.records import Exit, Record, Stream
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptRequest,
    Session,
    TaskStatus,
)
from anyond.operations import (
    chain,
    git_programs,
    images,
    launch_recipe,
    remarks,
    steering,
    undelivered,
    worktree,
)
from anyond.operations.notifications import announce
from anyond.operations.rooms import Rooms
from anyond.operations.subject import Subject
from anyond.operations.turn_record import TurnRecord
from anyond.procs.launcher import Launcher
from anyond.procs.shim_connection import ShimConnection
from anyond.settings import files
from anyond.store import drafts, processes, sessions, tasks
from anyond.store.transaction import Tx

ENTRIES = "entries.jsonl"

REPLAYED_AT_ONCE = 1 << 16
"""Bytes of a log that are read in one go: a few milliseconds of work."""


@dataclass(frozen=True)
class Started:
    """A process that runs now."""

    process: ExecutionProcess
    running: ShimConnection
    kept: TurnRecord | None
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
    rooms: Rooms,
    process: ExecutionProcess,
    subject: Subject,
    *,
    wanted: Callable[[], bool],
    stoppable: Stoppable,
) -> Started:
    """Start the program of a row that `insert` made.

    If that fails, the row is final, its log says why, the task is in review, and a message that was
    sent with it is a draft again.

    Args:
        wanted: asked once the worktree is there: whether it should still be started.
        stoppable: for the making of the worktree, which takes as long as its hooks like.

    Raises:
        AnyondError: why it did not start.
    """
    # A dev server runs beside an agent.
    alone = process.run_reason is not RunReason.DEV_SERVER
    try:
        with stoppable() as scope:
            subject = await worktree.prepare(rooms, subject, alone=alone)
        if scope.cancelled_caught:
            raise Conflict("stopped", "It was stopped while its worktree was being made.")
        path = subject.worktree
        await images.place(rooms, subject.task.id, path)
        if not wanted():
            raise Conflict("stopped", "It was stopped before it had started.")
        await git_programs.begin(rooms, subject, process)
        cooked = await launch_recipe.write_recipe(
            rooms, process, subject.project, str(subject.workdir), str(path)
        )
        head = await checkouts.head(path)
        if alone:
            await keeping.guard_stash(subject.repository, process.task_attempt_id)
        kept = cooked.kept

        def before(tx: Tx) -> ExecutionProcess:
            if kept is not None:
                # If this is a second try after a crash, something may have been said meanwhile.
                said = list(steering.said(tx, process.id))
                sessions.keep_turn(tx, process.id, replace(kept, said=said).encode())
            return processes.set_before_commit(tx, process.id, head, now()) if head else process

        process = await rooms.store.write(before)
        running = await rooms.launcher.start(
            process.id, cooked.launch, limit=rooms.config.config.log_limit_bytes
        )
    except AnyondError as error:
        git_programs.not_started(subject, process)
        await _record_failed_start(rooms, process, subject, error)
        raise
    except OSError as error:
        git_programs.not_started(subject, process)
        unwritable = Unavailable(f"{error.filename or 'A file'}: {error.strerror}.")
        await _record_failed_start(rooms, process, subject, unwritable)
        raise unwritable from error
    if kept is not None:
        # The log of a script is its output alone; it says what waits at its end.
        await remarks.say_waiting(rooms, process.task_attempt_id, running)
    return Started(process, running, kept, subject)


async def _record_failed_start(
    rooms: Rooms, process: ExecutionProcess, subject: Subject, error: AnyondError
) -> None:
    moment = time.time_ns()
    stopped = isinstance(error, Conflict) and error.type == "stopped"
    spool = rooms.launcher.spool(process.id)
    text = str(error)
    remark = notes.encode(
        notes.Remark(text=text, error=True, setup=isinstance(error, ProgramMissing))
    )
    spool.append_output(Stream.STDERR, f"{text}\n".encode(), moment)
    spool.append_note(remark, moment)
    spool.write_exit(Exit(error=text, ended_at=moment))
    conversation = Conversation(process.id, Silent(), 0)
    conversation.feed(Record(moment, Stream.NOTE, remark))
    content = archive.encode(conversation.final_frames(), process.id)
    await trio.to_thread.run_sync(files.write, spool.path / ENTRIES, content)

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

    if await rooms.store.write(final):
        await announce(rooms, subject, status)


def review(tx: Tx, task_id: str, reason: RunReason) -> None:
    """The chain is over: the task waits for a person, unless it is done or cancelled."""
    if reason is RunReason.DEV_SERVER:
        return
    if tasks.get(tx, task_id).status is TaskStatus.IN_PROGRESS:
        tasks.set_status(tx, task_id, TaskStatus.IN_REVIEW, now())


class Silent:
    """The dialogue of a program that never spoke."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> list[AgentEvent]:
        return []

    def finish(self) -> list[AgentEvent]:
        return []

    def send(self, command: object) -> None:
        return

    def outgoing(self) -> list[bytes]:
        return []


async def replay(
    launcher: Launcher, process: ExecutionProcess, kept: TurnRecord | None
) -> Conversation | None:
    """The conversation of an execution, rebuilt from its spool; None for a script."""
    if kept is None:
        return None
    conversation = Conversation(process.id, kept.dialogue(), kept.approval_timeout_s)
    reader = launcher.spool(process.id).records()
    try:
        while records := reader.read(REPLAYED_AT_ONCE):
            for record in records:
                conversation.feed(record)
            await trio.lowlevel.checkpoint()
    finally:
        reader.close()
    return conversation
