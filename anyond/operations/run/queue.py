"""Sending queued drafts: each becomes the next run once, however often that is retried."""

from __future__ import annotations

from anyond.model.ids import now
from anyond.model.rows import ExecutionProcess, RunReason
from anyond.operations.resources import Resources
from anyond.operations.run import follow_up
from anyond.operations.subject import Subject
from anyond.operations.workspace import worktree
from anyond.store.board import drafts, images
from anyond.store.engine.transaction import Tx


def send(
    tx: Tx, subject: Subject, after: RunReason | None = None, *, anew: bool = False
) -> ExecutionProcess | None:
    """Turn the queued follow-up of an attempt into a process, which is to be started next.

    The draft is taken in the transaction that writes the process down, so that a daemon that is
    killed at any moment has either sent it or still holds it.

    Args:
        after: what has just ended. A draft does not follow a setup script that failed: the agent
            does not know its task yet.
        anew: see `chain.follow_up`.

    Returns:
        None if nothing is queued, or it cannot follow.

    Raises:
        Busy: something runs in the worktree.
    """
    attempt_id = subject.attempt.id
    draft = drafts.queued(tx, attempt_id)
    if draft is None or after is RunReason.SETUP_SCRIPT:
        return None
    # An image that somebody has deleted meanwhile must not hold back the words.
    image_ids = [image_id for image_id in draft.image_ids if images.exists(tx, image_id)]
    process = follow_up.insert(tx, subject, draft.prompt, draft.variant, image_ids, anew=anew)
    drafts.take(tx, attempt_id, process.id, now())
    return process


async def send_queued(resources: Resources, subject: Subject) -> ExecutionProcess | None:
    """Write the process of the queued draft down; it is to be started next. See `send`."""
    anew = await worktree.is_gone(subject)
    return await resources.store.write(lambda tx: send(tx, subject, anew=anew))
