"""Deleting a file of an attempt."""

from __future__ import annotations

from anyond.git.commits import deletion
from anyond.git.repo import checkouts
from anyond.git.snapshots import snapshots
from anyond.model.ids import now
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.store.runs import intents
from anyond.store.runs.intents import Intent


async def delete_file(resources: Resources, subject: Subject, file_path: str) -> None:
    """Delete a file from the worktree, and commit that if git knew the file.

    Raises:
        Invalid: the path leads out of the worktree or into `.git`, or is a directory.
        NotFound: there is no such file.
        Conflict: `rebase_in_progress` and so on, `dirty` (files are in conflict), `off_branch`,
            `ignored_file`; nothing has changed.
    """
    subject = await worktree.prepare(resources, subject)
    path = deletion.contained(subject.worktree, file_path)
    await deletion.check(subject.worktree, path)
    await checkouts.require(subject.worktree, subject.attempt.branch)
    attempt_id = subject.attempt.id
    snapshot = await snapshots.take(subject.repository, subject.worktree, attempt_id, "delete-file")
    intent = Intent(
        attempt_id=attempt_id,
        kind="delete_file",
        name=path,
        tip=await checkouts.head(subject.worktree) or "",
        snapshot=snapshot,
        created_at=now(),
    )
    await resources.store.write(lambda tx: intents.put(tx, intent))
    message = f"Delete {path}\n\nAnyon-Attempt: {subject.attempt.id}"
    try:
        await deletion.delete_file(subject.worktree, path, message=message)
    finally:
        # It is there again if git refused. Whoever is stopped here leaves it to the next one.
        await resources.store.write(lambda tx: intents.delete(tx, attempt_id))
