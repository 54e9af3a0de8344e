"""Rebasing an attempt onto a newer base, and ending a rebase with conflicts."""

from __future__ import annotations

from anyond.git.merging import rebase
from anyond.git.repo import branches
from anyond.git.repo.branches import Tip
from anyond.git.snapshots import reset, snapshots
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import Rebasing
from anyond.model.ids import now
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.requests import Impossible
from anyond.operations.branch import intent_outcomes
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.store.board import attempts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents
from anyond.store.runs.intents import Intent


async def rebase_attempt(resources: Resources, subject: Subject, body: Rebasing) -> None:
    """Put the attempt's own commits on the new base, which becomes its target.

    Raises:
        Impossible: no such base; nothing has changed.
        MergeConflicts: the rebase waits in the worktree; the target changes when it is finished.
        Conflict: `rebase_in_progress`, `dirty` and others; nothing has changed.
    """
    target = subject.attempt.target_branch
    new_name = body.new_base_branch or target
    if new_name == subject.attempt.branch:
        raise Impossible("new_base_branch", "an attempt cannot be rebased on itself.")
    new_base = await branches.resolve(subject.repository, new_name, "new_base_branch")
    old_base = await _old_base(subject, body)
    subject = await worktree.prepare(resources, subject)
    path, attempt = subject.worktree, subject.attempt
    left = None
    if not body.old_base_branch:
        left = await resources.store.read(lambda r: attempts.base_commit(r, attempt.id))
    planned = await rebase.plan(path, attempt.branch, old_base, new_base, left)
    snapshot = await snapshots.take(subject.repository, path, attempt.id, "rebase")
    intent = Intent(
        attempt_id=attempt.id,
        kind="rebase",
        name=new_name,
        tip=planned.tip,
        onto=planned.onto,
        snapshot=snapshot,
        created_at=now(),
    )
    await resources.store.write(lambda tx: intents.put(tx, intent))
    try:
        await rebase.rebase(resources.repositories, path, planned)
    except MergeConflicts:
        await resources.store.write(lambda tx: intents.set_waits(tx, attempt.id))
        raise
    except AnyondError:
        if not await intent_outcomes.done_after_all(resources, attempt.id):
            raise
        return

    def done(tx: Tx) -> None:
        # Unless somebody has chosen another target meanwhile.
        if intents.get(tx, attempt.id) == intent:
            intent_outcomes.complete(tx, subject, intent)

    await resources.store.write(done)


async def abort_conflicts(resources: Resources, subject: Subject) -> None:
    """Go back to before the rebase, merge, cherry-pick or revert that is in progress, if one is."""
    attempt = subject.attempt
    if attempt.container_ref is None:
        return
    subject = await worktree.find_again(resources, subject)
    if not await reset.is_unfinished(subject.worktree):
        return
    await snapshots.take(subject.repository, subject.worktree, attempt.id, "abort")
    # First, so that nobody takes what comes for the end of the rebase.
    await resources.store.write(lambda tx: intents.delete(tx, attempt.id))
    async with resources.repositories.lock(subject.repository):
        await reset.abort(subject.worktree)


async def _old_base(subject: Subject, body: Rebasing) -> Tip | None:
    if body.old_base_branch:
        return await branches.resolve(subject.repository, body.old_base_branch, "old_base_branch")
    # The target may be gone; that is no reason not to move to another one.
    return await branches.find(subject.repository, subject.attempt.target_branch)
