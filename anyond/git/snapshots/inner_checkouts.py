"""Checkouts of the same repository that somebody has made inside of another one, and their end.

Agents do that. When the outer one is deleted, their files go with it, and git forgets what their
HEAD was: what is in them is kept before.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog
import trio

from anyond.git.commits import saved_commits
from anyond.git.program.command import git
from anyond.git.repo import checkouts
from anyond.git.repo.repository import git_dir
from anyond.git.snapshots import snapshots
from anyond.model.errors import AnyondError

log = structlog.get_logger()


async def keep(repo: Path, worktree: Path, attempt_id: str) -> None:
    """Keep the HEAD, and a snapshot, of each checkout below `worktree`, in the attempt's name.

    Raises:
        GitFailed: a HEAD could not be kept; then nothing may be deleted.
    """
    for name, inner in (await checkouts.inside(worktree)).items():
        ref = None
        if inner.head is not None:
            ref = await saved_commits.keep(repo, attempt_id, "inside", inner.head)
        if await trio.to_thread.run_sync(git_dir, inner.path) is not None:
            try:
                ref = await snapshots.take(repo, inner.path, attempt_id, f"delete: {name}")
            except AnyondError as error:
                # It may be damaged. Its files are in the snapshot of the outer one, too.
                log.warning("no_snapshot", path=os.fspath(inner.path), why=str(error))
        log.warning("inner_checkout_kept", path=os.fspath(inner.path), ref=ref)


async def forget(repo: Path, worktree: Path) -> None:
    """Have git forget the checkouts that were below `worktree`, which is gone."""
    for inner in (await checkouts.inside(worktree, repo)).values():
        if not await trio.to_thread.run_sync(os.path.lexists, inner.path):
            away = ("worktree", "remove", "--force", "--force", "--", inner.path)
            await git(*away, cwd=repo, check=False)
