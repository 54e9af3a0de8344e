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


async def commit_rest(about: Subject) -> None:
    """Commit what an attempt has not committed yet, as whatever publishes its branch does first.

    Raises:
        Conflict: `rebase_in_progress` and so on, `dirty` (with `files`: they are in conflict),
            `off_branch`, `branch_moved`.
        GitFailed: git or a hook refused. Nothing may be published then.
    """
    message = f"{about.task.title}\n\nAnyon-Attempt: {about.attempt.id}"
    await commit.commit_all(about.worktree, message, about.attempt.branch)


async def info(about: Subject, text: str) -> CommitInfo:
    """The commit that `text` (an abbreviated id, a tag, `HEAD~2`) means in the attempt.

    Raises:
        NotFound: none, or more than one.
    """
    where, _ = await _view(about)
    oid = await branches.commit(where, text)
    return CommitInfo(sha=oid, subject=await branches.subject(where, oid))


async def compare(about: Subject, text: str) -> CommitComparison:
    """Return the relation of that commit to the attempt's HEAD.

    Raises:
        NotFound: there is no such commit, or the attempt has no branch yet.
    """
    where, head = await _view(about)
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


async def _view(about: Subject) -> tuple[Path, str]:
    """Return the place to ask git in, and HEAD there; without its worktree an attempt has its
    branch.
    """
    if about.attempt.container_ref is not None:
        path = about.worktree
        if await trio.to_thread.run_sync(git_dir, path) is not None:
            return path, "HEAD"
    if not await trio.to_thread.run_sync(os.path.isdir, about.repository):
        raise NotFound("git repository at", about.repository)
    return about.repository, f"refs/heads/{about.attempt.branch}"
