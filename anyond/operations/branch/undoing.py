"""Going back to a saved state of a worktree, in place, with a way back from there."""

from __future__ import annotations

from anyond.git.repo import branches
from anyond.git.snapshots import reset, snapshot_refs, snapshots
from anyond.git.snapshots.snapshot_refs import Snapshot
from anyond.model.errors import AnyondError
from anyond.model.http.changes import REPLACES_NOTHING, UNDO, SavedState, Undone
from anyond.model.ids import now
from anyond.model.refusals.requests import Impossible, NotFound
from anyond.operations.branch import intent_outcomes
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.store.runs import intents
from anyond.store.runs.intents import Intent


async def saved_states(subject: Subject) -> list[SavedState]:
    """The states of an attempt that can be gone back to, the newest first."""
    found = await snapshot_refs.list_snapshots(subject.repository, subject.attempt.id)
    return [_state(one) for one in sorted(found, key=lambda one: one.number, reverse=True)]


async def undo(resources: Resources, subject: Subject, number: int | None) -> Undone:
    """Bring back the state `number`: branch, index and files. What was there until now is saved.

    Files that are there now, and were not then, stay if git does not know them. Until all is done,
    a crash undoes it.

    Args:
        number: None is that before the last thing that has replaced anything.

    Raises:
        NotFound: there is no such state.
        Impossible: it was on another branch, or before the first commit.
        Conflict: `branch_checked_out`.
    """
    subject = await worktree.prepare(resources, subject)
    repository, path, attempt = subject.repository, subject.worktree, subject.attempt
    goal = _chosen(await snapshot_refs.list_snapshots(repository, attempt.id), number)
    if goal.head is None or goal.branch not in (None, attempt.branch):
        where = "before the first commit" if goal.head is None else f"on the branch {goal.branch}"
        raise Impossible(
            "number",
            f"the state {goal.number} was {where}, so it cannot be brought back in place;"
            " `anyon snapshots restore` makes a new worktree of it.",
        )
    await reset.check(path, goal.head, attempt.branch)
    there = await branches.find(repository, attempt.branch)
    before = await snapshots.take(repository, path, attempt.id, UNDO)
    intent = Intent(
        attempt_id=attempt.id,
        kind="reset",
        name=attempt.branch,
        tip="" if there is None else there.oid,
        onto=goal.head,
        snapshot=before,
        created_at=now(),
    )
    await resources.store.write(lambda tx: intents.put(tx, intent))
    try:
        async with resources.repositories.lock(repository):
            await reset.reset(path, goal.head, attempt.branch)
            await snapshots.put_back(repository, goal.ref, path)
    except AnyondError:
        # Not left for whoever comes next: the worktree may be half of the one, half of the other.
        await intent_outcomes.settled(resources, attempt.id)
        raise
    await resources.store.write(lambda tx: intents.delete(tx, attempt.id))
    return Undone(
        restored=_state(goal), before=_state(await snapshot_refs.find(repository, before))
    )


def _chosen(found: list[Snapshot], number: int | None) -> Snapshot:
    if number is None:
        replaced = [one for one in found if one.reason not in REPLACES_NOTHING]
        if not replaced:
            raise NotFound("saved state", "of this attempt: nothing was replaced yet")
        return max(replaced, key=lambda one: one.number)
    for one in found:
        if one.number == number:
            return one
    raise NotFound("saved state", number)


def _state(found: Snapshot) -> SavedState:
    return SavedState(
        number=found.number,
        created_at=found.created_at,
        reason=found.reason,
        branch=found.branch,
        head=found.head,
        commit=found.oid,
    )
