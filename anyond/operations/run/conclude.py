"""Concluding a process: its work is committed, its row is final, the chain goes on.

Every step can be done again. A daemon that is killed in between finds the row still running and
the exit in the spool, and comes through here once more; only the last step, one transaction, makes
the end of a process and its consequences true, all at once.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from msgspec import Struct

from anyond.git.commits import commit
from anyond.git.repo import checkouts
from anyond.logs import notes
from anyond.logs.conversation import Conversation
from anyond.machines.ending import Ending, judge
from anyond.model.configuration.settings import CommitMessage
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.printable import printable
from anyond.model.records import Exit
from anyond.model.refusals.worktrees import OffBranch
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptContext,
    ScriptRequest,
    TaskStatus,
)
from anyond.operations import remarks
from anyond.operations.branch import intent_outcomes, left_out
from anyond.operations.resources import Resources
from anyond.operations.run import final_entries, follow_up, fresh_session, queue
from anyond.operations.run.run import Stoppable, insert
from anyond.operations.subject import Subject
from anyond.operations.turn import (
    after_run,
    carrying,
    chain,
    left_running,
    steering,
    undelivered,
)
from anyond.operations.turn.notifications import notify
from anyond.operations.workspace import git_programs, worktree
from anyond.operations.workspace.submodules import uncommitted
from anyond.store.board import attempts, drafts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions, usages
from anyond.store.runs import remarks as waiting_remarks
from anyond.store.runs.remarks import WaitingRemark

log = structlog.get_logger()

NOT_COMMITTED = "The changes are not committed: it was stopped while git or a hook was at work."


_REPORTS_UNCOMMITTED = {RunReason.CODING_AGENT, RunReason.CLEANUP_SCRIPT}
"""After these, it is told what is committed nowhere."""


class Following(Struct, frozen=True):
    """The process that is to be started after another.

    Args:
        next: the next link of the chain, or what a person had queued for its end.
        services: what stands for the services that a setup script has left running.
    """

    next: ExecutionProcess | None = None
    services: ExecutionProcess | None = None


async def conclude(
    resources: Resources,
    subject: Subject,
    process: ExecutionProcess,
    *,
    exit: Exit,
    conversation: Conversation | None,
    halting: Callable[[], bool],
    stoppable: Stoppable,
) -> Following:
    """Write down how `process` ended.

    Args:
        conversation: everything the agent said; None for a script.
        halting: whether somebody wants the whole chain to stop.
        stoppable: for the commit, which takes as long as its hooks like.

    Returns:
        The rows of what is to be started now.
    """
    stop = await resources.store.read(lambda r: processes.stop_reason(r, process.id))
    ending = judge(
        process.run_reason,
        exit,
        outcome=conversation.outcome if conversation else None,
        stopped=stop is not None,
    )
    replaced = fresh_session.is_due(process, ending, conversation) and not halting()
    found: list[notes.Remark] = []
    if replaced:
        found.append(fresh_session.REMARK)
    elif ending.complaint is not None:
        found.append(notes.Remark(text=ending.complaint, error=True))
    if process.run_reason is RunReason.CODING_AGENT and exit.ended:
        found.append(left_running.remark(exit.ended))
    request = process.executor_action.typ
    if isinstance(request, ScriptRequest) and request.services_of is not None:
        # What has followed them can be gone before they are, and whoever waits for this row takes
        # its end for theirs.
        await resources.launcher.end_services(request.services_of)
    if subject.attempt.container_ref is not None:
        await worktree.set_odd_files_aside(resources, subject)
        found += await git_programs.end(resources, subject, process)
    with stoppable() as scope:
        try:
            if process.run_reason is not RunReason.DEV_SERVER:  # others are at work beside it
                # The program may have put another `.git` in the place of its worktree's.
                subject = await worktree.find_or_repair(resources, subject)
                subject = await _settled(resources, subject)
                await worktree.bring_branch_back(resources, subject)
                await worktree.follow(resources, subject)
                await after_run.restore_messages(resources, subject, process.before_head_commit)
            if await _commit(resources, subject, process, ending, conversation):
                found += await left_out.find(subject, process)
            if process.run_reason in _REPORTS_UNCOMMITTED:
                found += await uncommitted(subject)
        except AnyondError as error:
            found.append(notes.Remark(text=_why_not(error), error=True))
    if scope.cancelled_caught:
        found.append(notes.Remark(text=NOT_COMMITTED, error=True))
    waiting: list[WaitingRemark] = []
    if process.run_reason is not RunReason.DEV_SERVER:
        await after_run.look_at_stash(resources, subject)
        waiting = await remarks.read_waiting(resources, subject.attempt.id)
        found += [remarks.as_note(remark) for remark in waiting]
    head = await _head(resources, subject)
    changed = head is not None and head != process.before_head_commit
    await final_entries.write(
        resources,
        process,
        exit=exit,
        conversation=conversation,
        ending=ending,
        remarks=found,
    )

    over = False
    services: ExecutionProcess | None = None

    def final(tx: Tx) -> ExecutionProcess | None:
        nonlocal over, services
        moment = now()
        waiting_remarks.delete(tx, waiting)
        if conversation is not None and conversation.summary is not None:
            sessions.set_summary(tx, process.id, conversation.summary)
        if conversation is not None:
            carrying.keep(tx, process, conversation)
        if (
            conversation is not None
            and conversation.session_lost
            and isinstance(process.executor_action.typ, CodingAgentFollowUpRequest)
        ):
            lost = process.executor_action.typ.session_id
            sessions.forget(tx, subject.attempt.id, lost)
        if process.run_reason is RunReason.SETUP_SCRIPT and (
            ending.status is ProcessStatus.COMPLETED
        ):
            attempts.set_setup_completed(tx, subject.attempt.id, moment, moment)
        first_time = processes.finish(
            tx,
            process.id,
            status=ending.status,
            exit_code=ending.exit_code,
            after_head_commit=head,
            at=moment,
        )
        if first_time and conversation is not None:
            usages.record(tx, process.id, conversation.usage)
        if not first_time or process.run_reason is RunReason.DEV_SERVER:
            return None
        is_halted = halting() or ending.status is ProcessStatus.KILLED
        if exit.left_running and not is_halted:
            services = insert(tx, subject.attempt.id, subject.task.id, _services(process, exit))
        received = conversation.messages_received if conversation is not None else 0
        left = [message.prompt for message in steering.undelivered(tx, process.id, received)]
        if replaced and not is_halted:
            return fresh_session.insert(tx, subject, process, left)
        if left and not is_halted:
            variant = steering.profile(process).variant
            return follow_up.insert(tx, subject, "\n\n".join(left), variant, ())
        for prompt in left:
            drafts.keep(tx, subject.attempt.id, prompt, moment)
        following = process.executor_action.next_action
        if (
            following is not None
            and not halting()
            and chain.goes_on(process.run_reason, ending.status, changed=changed)
        ):
            row = insert(tx, subject.attempt.id, subject.task.id, following)
            if process.run_reason is RunReason.SETUP_SCRIPT:
                drafts.pass_on(tx, process.id, row.id)
            return row
        if process.run_reason is RunReason.SETUP_SCRIPT:
            undelivered.give_back(tx, process, moment)
        if not is_halted and (sent := queue.send(tx, subject, after=process.run_reason)):
            return sent
        drafts.unqueue(tx, subject.attempt.id, moment)
        if tasks.get(tx, subject.task.id).status is TaskStatus.IN_PROGRESS:
            tasks.set_status(tx, subject.task.id, TaskStatus.IN_REVIEW, moment)
        over = True
        return None

    following = await resources.store.write(final)
    if over:
        await notify(resources, subject, ending.status)
    if exit.left_running and services is None:
        await resources.launcher.end_services(process.id)
    return Following(following, services)


def _services(process: ExecutionProcess, exit: Exit) -> ExecutorAction:
    request = ScriptRequest(
        script="\n".join(exit.left_running),
        context=ScriptContext.DEV_SERVER,
        services_of=process.id,
    )
    return ExecutorAction(typ=request)


async def _commit(
    resources: Resources,
    subject: Subject,
    process: ExecutionProcess,
    ending: Ending,
    conversation: Conversation | None,
) -> bool:
    """Commit what was done, if it is time to and that is wanted; returns whether it was."""
    succeeded = ending.status is ProcessStatus.COMPLETED
    choice = resources.config.config.commit_message
    after_agent = process.run_reason is RunReason.CODING_AGENT and succeeded
    after_cleanup = process.run_reason is RunReason.CLEANUP_SCRIPT
    if choice is CommitMessage.OFF or not (after_agent or after_cleanup):
        return False
    summary = conversation.summary if conversation is not None else None
    parts = [subject.task.title]
    if summary and choice is CommitMessage.SUMMARY:
        parts.append(summary)
    parts.append(f"Anyon-Attempt: {subject.attempt.id}")
    message = printable("\n\n".join(parts))
    await commit.commit_all(subject.worktree, message, subject.attempt.branch)
    return True


def _why_not(error: AnyondError) -> str:
    if isinstance(error, OffBranch):
        # Perhaps there is nothing to commit; that nothing of it will be merged still matters.
        return f"{error} What is done there is not part of this attempt, and is left as it is."
    return f"The changes could not be committed: {error}"


async def _settled(resources: Resources, subject: Subject) -> Subject:
    """The agent may have finished a rebase that had stopped at a conflict, or renamed a branch."""
    try:
        return await intent_outcomes.settled(resources, subject.attempt.id)
    except AnyondError as error:
        # It is looked at again by whoever does something in the attempt next.
        log.warning("not_settled", attempt=subject.attempt.id, why=str(error))
        return subject


async def _head(resources: Resources, subject: Subject) -> str | None:
    try:
        found = await worktree.find_again(resources, subject)
        return await checkouts.head(found.worktree)
    except AnyondError as error:
        log.warning("no_head", attempt=subject.attempt.id, why=str(error))
        return None
