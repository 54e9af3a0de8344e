"""Effects of a run on git besides its files: on the stash, and on messages of commits."""

from __future__ import annotations

import structlog

from anyond.git.commits import saved_commits
from anyond.git.merging import rebase_messages
from anyond.git.repo import branches
from anyond.model.errors import AnyondError
from anyond.operations import remarks
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject

log = structlog.get_logger()


async def look_at_stash(resources: Resources, subject: Subject) -> None:
    """Tell what became of the stash: an agent that pops it may have popped the person's."""
    attempt = subject.attempt
    try:
        texts = await saved_commits.compare_stash(subject.repository, attempt.id, attempt.branch)
    except AnyondError as error:
        # What was kept stays kept; the next end looks again.
        log.warning("stash_not_compared", attempt=attempt.id, why=str(error))
        return
    await remarks.leave(resources, attempt.id, texts)


async def restore_messages(resources: Resources, subject: Subject, before: str | None) -> None:
    """Give back what a rebase of the agent's own has taken for comments in titles.

    Args:
        before: the commit that was checked out when the run began.
    """
    worktree, target = subject.worktree, subject.attempt.target_branch
    if before is None or await branches.is_ancestor(worktree, before, "HEAD"):
        return
    found = await branches.find(worktree, target)
    onto = await branches.merge_base(worktree, found.oid, "HEAD") if found is not None else None
    if onto is not None:
        branch = subject.attempt.branch
        await rebase_messages.restore(
            resources.repositories, worktree, branch, tip=before, onto=onto
        )
