"""Merging an attempt's branch into its target."""

from __future__ import annotations

import trio

from anyond.git.merging import merge
from anyond.git.merging.merge_record import MergeRecord
from anyond.git.snapshots import snapshots
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import MergeStrategy
from anyond.model.ids import now
from anyond.operations.branch import intent_outcomes
from anyond.operations.branch.commits import commit_rest
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import submodules, worktree
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents
from anyond.store.runs.intents import Intent


async def merge_attempt(resources: Resources, subject: Subject, strategy: MergeStrategy) -> str:
    """Commit what is left, merge, and write it down; the task is done.

    Returns:
        The new tip of the target branch.

    Raises:
        Conflict: nothing to merge, conflicts, a dirty target; nothing has changed then, except
            that the attempt's own changes are committed. `off_branch`: the work may be elsewhere.
            `submodule_dirty`, `submodule_not_pushed`: see `submodules.refuse_unsaved` and
            `submodules.hand_over_commits`.
    """
    subject = await worktree.prepare(resources, subject)
    path, attempt = subject.worktree, subject.attempt
    await snapshots.take(subject.repository, path, attempt.id, "merge")
    await submodules.refuse_unsaved(subject)
    await commit_rest(subject)
    await submodules.hand_over_commits(subject)
    title = f"{subject.task.title} (anyon {attempt.id[:8]})"
    body = (subject.task.description or "").strip()

    message = f"{title}\n\n{body}" if body else title
    # Nobody's stop may end this in the middle: the checkout that follows is the person's own.
    with trio.CancelScope(shield=True):
        oid = await _merge(resources, subject, message, strategy)
    return oid


async def _merge(
    resources: Resources, subject: Subject, message: str, strategy: MergeStrategy
) -> str:
    attempt, record = subject.attempt, None

    async def on_plan(planned: MergeRecord) -> None:
        nonlocal record
        record = planned
        await resources.store.write(lambda tx: intents.put(tx, _intent(subject, planned)))

    try:
        record = await merge.merge(
            resources.repositories,
            subject.repository,
            attempt.branch,
            attempt.target_branch,
            message=message,
            strategy=strategy.value,
            on_plan=on_plan,
        )
    except AnyondError:
        # What was written down for an earlier try has not happened, unless git was killed in it.
        if not await intent_outcomes.done_after_all(resources, attempt.id) or record is None:
            raise

    def done(tx: Tx) -> None:
        found = intents.get(tx, attempt.id)
        # Unless somebody has renamed the target meanwhile, or has seen that it was merged.
        if found is not None and found.kind == "merge" and found.onto == record.after:
            intent_outcomes.complete(tx, subject, found)

    await resources.store.write(done)
    await submodules.follow_merge(resources, subject, record)
    return record.after


def _intent(subject: Subject, record: MergeRecord) -> Intent:
    return Intent(
        attempt_id=subject.attempt.id,
        kind="merge",
        name=subject.attempt.target_branch,
        tip=record.before,
        onto=record.after,
        created_at=now(),
    )
