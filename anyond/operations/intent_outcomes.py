"""What becomes of what git was asked to do to a branch, once it is known how it ended.

A rebase may stop at a conflict, and an agent or a person goes on with it whenever they like; a
renaming or a merge may be cut short by a crash. Each is written down before git is asked, and the
rows follow when git has done it, not before. A branch that they have renamed themselves is
followed, too.
"""

from __future__ import annotations

from anyond.git import landing, rebase, rebase_messages, renaming
from anyond.model.ids import new_id, now
from anyond.model.rows import TaskStatus
from anyond.operations import subject
from anyond.operations.rooms import Rooms
from anyond.operations.subject import Subject
from anyond.store import attempts, intents, merges, tasks
from anyond.store.intents import Intent
from anyond.store.transaction import Tx


async def settled(rooms: Rooms, attempt_id: str) -> Subject:
    """The attempt as it is, after its row has caught up with what git has done meanwhile.

    Only for who is alone at work in the attempt: it would take a rebase that is just about to begin
    for one that was given up.

    Raises:
        NotFound: there is no such attempt.
    """
    about = await subject.read(rooms, attempt_id)
    intent = await rooms.store.read(lambda r: intents.get(r, attempt_id))
    done = await _is_done(about, intent) if intent is not None else None
    if intent is not None and intent.kind == "rebase" and done and intent.onto is not None:
        # Whoever has continued it may have lost lines of messages that look like comments.
        await rebase_messages.restore(
            rooms.repositories,
            about.worktree,
            about.attempt.branch,
            tip=intent.tip,
            onto=intent.onto,
        )
    if intent is not None and done is not None:
        await rooms.store.write(lambda tx: _close(tx, about, intent, done))
        about = await subject.read(rooms, attempt_id)
    elif intent is None and await _follow(rooms, about):
        about = await subject.read(rooms, attempt_id)
    return about


async def _follow(rooms: Rooms, about: Subject) -> bool:
    """If somebody has renamed the branch by other means, so be it; returns whether."""
    attempt = about.attempt
    if attempt.container_ref is None:
        return False
    name = await renaming.followed(about.worktree, attempt.branch)
    if name is None:
        return False

    def work(tx: Tx) -> bool:
        if attempts.by_branch(tx, about.project.id, name) is not None:
            return False
        intent = Intent(attempt_id=attempt.id, kind="rename", name=name, tip="", created_at=now())
        complete(tx, about, intent)
        return True

    return await rooms.store.write(work)


def complete(tx: Tx, about: Subject, intent: Intent) -> None:
    """Git has done it: the rows say so from now on."""
    moment = now()
    if intent.kind == "rebase":
        if attempts.get(tx, about.attempt.id).target_branch != intent.name:
            attempts.set_target(tx, about.attempt.id, intent.name, moment)
        attempts.set_base_commit(tx, about.attempt.id, intent.onto)
    elif intent.kind == "merge":
        assert intent.onto is not None
        merges.insert_direct(
            tx,
            id=new_id(),
            attempt_id=about.attempt.id,
            merge_commit=intent.onto,
            target_before=intent.tip,
            target_branch_name=intent.name,
            now=moment,
        )
        tasks.set_status(tx, about.task.id, TaskStatus.DONE, moment)
    else:
        attempts.set_branch(tx, about.attempt.id, intent.name, moment)
        project, old = about.project.id, about.attempt.branch
        attempts.rename_targets(tx, project, old, intent.name, moment)
        intents.rename_targets(tx, project, old, intent.name)
    intents.delete(tx, about.attempt.id)


async def _is_done(about: Subject, intent: Intent) -> bool | None:
    where = about.attempt.container_ref
    worktree = about.worktree if where is not None else None
    if intent.kind == "rename":
        old = about.attempt.branch
        return await renaming.resume(about.repository, worktree, old, intent.name, intent.tip)
    if intent.onto is None:
        return False
    if intent.kind == "merge":
        return await landing.holds(about.repository, intent.name, intent.onto)
    if worktree is None:
        return False
    return await rebase.finished(
        about.repository, worktree, about.attempt.branch, tip=intent.tip, onto=intent.onto
    )


def _close(tx: Tx, about: Subject, intent: Intent, done: bool) -> None:
    if intents.get(tx, about.attempt.id) != intent:
        return  # somebody has changed their mind meanwhile
    if done:
        complete(tx, about, intent)
    else:
        intents.delete(tx, about.attempt.id)
