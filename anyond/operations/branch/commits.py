"""The commits of an attempt: what is left over becomes one, and what can be said about others."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.git.commits import commit
from anyond.git.repo import branches
from anyond.git.repo.repository import git_dir
from anyond.model.http.answers import CommitComparison, CommitInfo
from anyond.model.refusals.requests import NotFound
from anyond.operations.subject import Subject


async def commit_rest(subject: Subject) -> None:
    """Commit what an attempt has not committed yet, as whatever publishes its branch does first.

    Raises:
        Conflict: `rebase_in_progress` and so on, `dirty` (with `files`: they are in conflict),
            `off_branch`, `branch_moved`.
        GitFailed: git or a hook refused. Nothing may be published then.
    """
    message = f"{subject.task.title}\n\nAnyon-Attempt: {subject.attempt.id}"
    await commit.commit_all(subject.worktree, message, subject.attempt.branch)


async def info(subject: Subject, text: str) -> CommitInfo:
    """The commit that `text` (an abbreviated id, a tag, `HEAD~2`) means in the attempt.

    Raises:
        NotFound: none, or more than one.
    """
    where, _ = await _view(subject)
    oid = await branches.commit(where, text)
    return CommitInfo(sha=oid, subject=await branches.subject(where, oid))


async def compare(subject: Subject, text: str) -> CommitComparison:
    """Return the relation of that commit to the attempt's HEAD.

    Raises:
        NotFound: there is no such commit, or the attempt has no branch yet.
    """
    where, head = await _view(subject)
    oid = await branches.commit(where, text)
    mine = await branches.commit(where, head)
    ahead, behind = await branches.ahead_behind(where, oid, mine)
    return CommitComparison(
        head_oid=mine,
        target_oid=oid,
        ahead_from_head=ahead,
        behind_from_head=behind,
        is_linear=ahead == 0 or behind == 0,
    )


async def _view(subject: Subject) -> tuple[Path, str]:
    """Return the place to ask git in, and HEAD there; without its worktree an attempt has its
    branch.
    """
    if subject.attempt.container_ref is not None:
        path = subject.worktree
        if await trio.to_thread.run_sync(git_dir, path) is not None:
            return path, "HEAD"
    if not await trio.to_thread.run_sync(os.path.isdir, subject.repository):
        raise NotFound("git repository at", subject.repository)
    return subject.repository, f"refs/heads/{subject.attempt.branch}"
