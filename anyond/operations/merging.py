"""How the work of an attempt lands in its target branch."""

from __future__ import annotations

from anyond.git import commit, merge, snapshots
from anyond.model.bodies import MergeStrategy
from anyond.model.ids import new_id, now
from anyond.model.rows import TaskStatus
from anyond.operations import worktree
from anyond.operations.rooms import Rooms
from anyond.operations.subject import Subject
from anyond.store import merges, tasks
from anyond.store.transaction import Tx


async def merge_attempt(rooms: Rooms, about: Subject, strategy: MergeStrategy) -> str:
    """Commit what is left, merge, and write it down; the task is done.

    Returns:
        The new tip of the target branch.

    Raises:
        Conflict: nothing to merge, conflicts, a dirty target; nothing has changed then, except
            that the attempt's own changes are committed.
    """
    about = await worktree.prepare(rooms, about)
    path, attempt = about.worktree, about.attempt
    await snapshots.take(about.repository, path, attempt.id, "merge")
    await commit.commit_all(path, f"{about.task.title}\n\nAnyon-Attempt: {attempt.id}")
    subject = f"{about.task.title} (anyon {attempt.id[:8]})"
    body = (about.task.description or "").strip()
    landing = await merge.merge(
        rooms.repositories,
        about.repository,
        attempt.branch,
        attempt.target_branch,
        message=f"{subject}\n\n{body}" if body else subject,
        strategy=strategy.value,
    )

    def record(tx: Tx) -> None:
        moment = now()
        merges.insert_direct(
            tx,
            id=new_id(),
            attempt_id=attempt.id,
            merge_commit=landing.after,
            target_before=landing.before,
            target_branch_name=attempt.target_branch,
            now=moment,
        )
        tasks.set_status(tx, about.task.id, TaskStatus.DONE, moment)

    await rooms.store.write(record)
    return landing.after
