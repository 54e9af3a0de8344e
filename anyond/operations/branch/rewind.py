"""Resetting an attempt to where an earlier run of its agent began, with a snapshot to undo it."""

from __future__ import annotations

from msgspec import Struct

from anyond.git.diff import status
from anyond.git.repo import branches
from anyond.git.snapshots import reset, snapshots
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.refusals.requests import Impossible
from anyond.model.refusals.runs import Dropped
from anyond.model.refusals.worktrees import Dirty, operation_in_progress
from anyond.model.rows import ExecutionProcess, RunReason
from anyond.operations.branch import intent_outcomes
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents, processes
from anyond.store.runs.intents import Intent


class WentBack(Struct, frozen=True):
    """The changes that were made to the worktree.

    Args:
        needed: whether it was not as the run had found it.
        applied: whether it is now.
    """

    needed: bool
    applied: bool


async def earlier_run(
    resources: Resources, subject: Subject, process_id: str, field: str
) -> ExecutionProcess:
    """The run of an agent in this attempt that is to be replaced.

    Args:
        field: the part of the request that named it.

    Raises:
        NotFound: there is no such process.
        Impossible: it belongs to another attempt, or is no agent's.
        Conflict: `dropped`: it was replaced before.
    """
    process = await resources.store.read(lambda r: processes.get(r, process_id))
    if process.task_attempt_id != subject.attempt.id:
        raise Impossible(field, "That process belongs to another attempt.")
    if process.run_reason is not RunReason.CODING_AGENT:
        raise Impossible(field, "Only the run of an agent can be tried again.")
    if process.dropped:
        raise Dropped
    return process


async def go_back(
    resources: Resources, subject: Subject, process: ExecutionProcess, *, perform: bool, force: bool
) -> WentBack:
    """Reset the worktree to where `process` began, on the attempt's branch; untracked files stay.

    Until the caller has written its rows and has called `went_back`, a crash undoes it.

    Args:
        perform: whether to; if not, it is only found out whether it were needed.
        force: whether uncommitted changes, and an unfinished rebase or merge, may be given up.

    Raises:
        Conflict: `dirty` or `rebase_in_progress` and so on, without `force`; `branch_checked_out`.
    """
    goal = process.before_head_commit
    if goal is None:
        return WentBack(needed=False, applied=False)
    subject = await worktree.prepare(resources, subject)
    path = subject.worktree
    found = await status.status(path)
    at_home = found.branch == subject.attempt.branch
    if found.head_oid == goal and at_home and found.clean and found.op is None:
        return WentBack(needed=False, applied=False)
    if not perform:
        return WentBack(needed=True, applied=False)
    if not force:
        _refuse_loss(found)
    branch = subject.attempt.branch
    goal = await reset.check(path, goal, branch)
    there = await branches.find(subject.repository, branch)
    snapshot = await snapshots.take(subject.repository, path, subject.attempt.id, "retry")
    intent = Intent(
        attempt_id=subject.attempt.id,
        kind="reset",
        name=branch,
        tip="" if there is None else there.oid,
        onto=goal,
        snapshot=snapshot,
        created_at=now(),
    )
    # Instead of that of a rebase, which is given up by this.
    await resources.store.write(lambda tx: intents.put(tx, intent))
    try:
        await reset.reset(path, goal, branch)
    except AnyondError:
        # Not left for whoever comes next: the worktree may be half of one commit, half of another.
        await intent_outcomes.settled(resources, subject.attempt.id)
        raise
    return WentBack(needed=True, applied=True)


def went_back(tx: Tx, attempt_id: str) -> None:
    """The rows are as the worktree is: what `go_back` did stays done."""
    found = intents.get(tx, attempt_id)
    if found is not None and found.kind == "reset":
        intents.delete(tx, attempt_id)


def _refuse_loss(found: status.Status) -> None:
    if found.op is not None:
        advice = "; finish or abort it, or set force_when_dirty to give it up (a snapshot is kept)"
        raise operation_in_progress(found.op, "the worktree", advice)
    if not found.clean:
        raise Dirty.given_up([*found.changed, *found.conflicted])
