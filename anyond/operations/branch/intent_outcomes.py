"""Outcomes of git's work on a branch: finished, undone, or recorded once it is known how it ended.

A rebase may stop at a conflict, and an agent or a person goes on with it whenever they like; any
of it may be cut short by a crash. Each is written down before git is asked, and the rows follow
when git has done it, not before. What was cut short is finished or undone.
A branch that they have renamed themselves is followed, too.
"""

from __future__ import annotations

import structlog
from msgspec.structs import replace

from anyond.git.commits import deletion
from anyond.git.disk import dead_locks, survivors
from anyond.git.files import written_files
from anyond.git.merging import half_merge, merge_record, rebase, rebase_messages
from anyond.git.repo.repository import common_dir, git_dir
from anyond.git.snapshots import reset, snapshots
from anyond.git.worktree import renaming
from anyond.model.ids import new_id, now, seconds
from anyond.model.rows import TaskStatus
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.operations.workspace import worktree
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents, merges
from anyond.store.runs.intents import Intent

log = structlog.get_logger()


async def settled(resources: Resources, attempt_id: str) -> Subject:
    """The attempt as it is, after its row has caught up with what git has done meanwhile.

    Only for who is alone at work in the attempt: it would take a rebase that is just about to begin
    for one that was given up.

    Raises:
        NotFound: there is no such attempt.
        Busy: a git that outlived its daemon still moves the target's checkout.
        AnyondError: what was cut short could not be undone now; nobody may begin anything then.
    """
    subject, _ = await _settle(resources, attempt_id)
    return subject


async def done_after_all(resources: Resources, attempt_id: str) -> bool:
    """Return whether what git was asked has come about although git failed; if not, it is undone.

    Git may be killed when it has done all that it was asked, or so far that it is finished now.
    Whoever wanted it must not be told that nothing has happened, then.

    Raises:
        See `settled`.
    """
    _, done = await _settle(resources, attempt_id)
    return bool(done)


async def _settle(resources: Resources, attempt_id: str) -> tuple[Subject, bool | None]:
    subject = await read_subject(resources, attempt_id)
    await worktree.require_own(resources, subject)
    intent = await resources.store.read(lambda r: intents.get(r, attempt_id))
    done = await _is_done(resources, subject, intent) if intent is not None else None
    if intent is not None and intent.kind == "rebase" and done and intent.onto is not None:
        # Whoever has continued it may have lost lines of messages that look like comments.
        await rebase_messages.restore(
            resources.repositories,
            subject.worktree,
            subject.attempt.branch,
            tip=intent.tip,
            onto=intent.onto,
        )
    if intent is not None and done is not None:
        await resources.store.write(lambda tx: _close(tx, subject, intent, done))
        subject = await read_subject(resources, attempt_id)
    elif intent is None and await _follow(resources, subject):
        subject = await read_subject(resources, attempt_id)
    return subject, done


async def _follow(resources: Resources, subject: Subject) -> bool:
    """If somebody has renamed the branch by other means, so be it; returns whether."""
    attempt = subject.attempt
    if attempt.container_ref is None:
        return False
    name = await renaming.followed(subject.worktree, attempt.branch)
    if name is None:
        return False

    def work(tx: Tx) -> bool:
        if attempts.by_branch(tx, subject.project.id, name) is not None:
            return False
        intent = Intent(attempt_id=attempt.id, kind="rename", name=name, tip="", created_at=now())
        complete(tx, subject, intent)
        return True

    return await resources.store.write(work)


def complete(tx: Tx, subject: Subject, intent: Intent) -> None:
    """Git has done it: the rows say so from now on."""
    moment = now()
    if intent.kind == "rebase":
        if attempts.get(tx, subject.attempt.id).target_branch != intent.name:
            attempts.set_target(tx, subject.attempt.id, intent.name, moment)
        attempts.set_base_commit(tx, subject.attempt.id, intent.onto)
    elif intent.kind == "merge":
        assert intent.onto is not None
        merges.insert_direct(
            tx,
            id=new_id(),
            attempt_id=subject.attempt.id,
            merge_commit=intent.onto,
            target_before=intent.tip,
            target_branch_name=intent.name,
            now=moment,
        )
        tasks.set_status(tx, subject.task.id, TaskStatus.DONE, moment)
    elif intent.kind == "rename":
        attempts.set_branch(tx, subject.attempt.id, intent.name, moment)
        project, old = subject.project.id, subject.attempt.branch
        attempts.rename_targets(tx, project, old, intent.name, moment)
        intents.rename_targets(tx, project, old, intent.name)
    intents.delete(tx, subject.attempt.id)


async def _is_done(resources: Resources, subject: Subject, intent: Intent) -> bool | None:
    """Return whether git has done it, after what was cut short is finished or undone; None: it
    waits.
    """
    where = subject.attempt.container_ref
    worktree = subject.worktree if where is not None else None
    if intent.kind != "merge" and not intent.waits:
        await _clear_locks(subject, intent)
    if intent.kind == "rename":
        old = subject.attempt.branch
        return await renaming.resume(subject.repository, worktree, old, intent.name, intent.tip)
    if intent.kind == "merge" and intent.onto is not None:
        await survivors.let_finish((intent.onto,))
        if await merge_record.holds(subject.repository, intent.name, intent.onto):
            return True
        await _clear_locks(subject, intent)
        goal = merge_record.MergeRecord(intent.tip, intent.onto)
        return await half_merge.finish(
            resources.repositories, subject.repository, intent.name, goal
        )
    if worktree is None or git_dir(worktree) is None:
        return False
    if intent.kind == "reset":
        await _undo_reset(resources, subject, intent)
        return False
    if intent.kind == "delete_file":
        await deletion.settle(worktree, intent.name, before=intent.tip, snapshot=intent.snapshot)
        return False
    if intent.onto is None:
        return False
    if not intent.waits:
        await _undo_rebase(resources, subject, intent, intent.onto)
    done = await rebase.finished(
        subject.repository, worktree, subject.attempt.branch, tip=intent.tip, onto=intent.onto
    )
    if done is None and not intent.waits:
        await resources.store.write(lambda tx: intents.set_waits(tx, intent.attempt_id))
    return done


async def _clear_locks(subject: Subject, intent: Intent) -> None:
    """If git was killed, too, it could not tidy up; nobody else is in the way of what follows."""
    common = await common_dir(subject.repository)
    await dead_locks.clear(common, seconds(intent.created_at))


async def _undo_rebase(resources: Resources, subject: Subject, intent: Intent, onto: str) -> None:
    """If a kill has cut it short, the branch is put back; whoever wanted it was never answered."""
    if await rebase.was_cut(subject.worktree, tip=intent.tip, onto=onto):
        await snapshots.take(subject.repository, subject.worktree, subject.attempt.id, "cut-rebase")
        await rebase.undo(resources.repositories, subject.worktree)
        if intent.snapshot is not None:
            await written_files.take_back(subject.worktree, onto, intent.snapshot)
        log.warning("cut_rebase_undone", attempt=subject.attempt.id, branch=subject.attempt.branch)


async def _undo_reset(resources: Resources, subject: Subject, intent: Intent) -> None:
    """Bring back what a retry was about to leave behind: its rows were never written."""
    if intent.onto is None or intent.snapshot is None:
        return
    path = subject.worktree
    await survivors.end(("reset", intent.onto), path)
    await snapshots.take(subject.repository, path, subject.attempt.id, "cut-reset")
    async with resources.repositories.lock(subject.repository):
        await reset.undo(
            subject.repository,
            path,
            branch=intent.name,
            tip=intent.tip,
            goal=intent.onto,
            snapshot=intent.snapshot,
        )
    log.warning("cut_reset_undone", attempt=subject.attempt.id, snapshot=intent.snapshot)


def _close(tx: Tx, subject: Subject, intent: Intent, done: bool) -> None:
    found = intents.get(tx, subject.attempt.id)
    if found is None or replace(found, waits=intent.waits) != intent:
        return  # somebody has changed their mind meanwhile
    if done:
        complete(tx, subject, intent)
    else:
        intents.delete(tx, subject.attempt.id)
