"""How a checkout for an attempt comes to be and goes."""

from __future__ import annotations

from pathlib import Path

import trio

from anyond.git import branches
from anyond.git.checkouts import (
    Report,
    Worktree,
    current_branch,
    delete,
    fill,
    head,
    list,
    make_parent,
    occupied,
    same,
)
from anyond.git.command import git
from anyond.git.excludes import exclude
from anyond.git.locations import forget, remember
from anyond.git.repair import Ensured, ensure
from anyond.git.repository import Repositories, common_dir
from anyond.git.text import shown
from anyond.model.errors import Conflict, Invalid, NotFound

__all__ = [
    "Ensured",
    "Worktree",
    "add",
    "current_branch",
    "ensure",
    "exclude",
    "head",
    "list",
    "remove",
]


async def add(
    repos: Repositories,
    repo: Path,
    path: Path,
    branch: str,
    base: str,
    *,
    report: Report | None = None,
) -> str:
    """Create `branch` at the tip of `base`, and a checkout of it at `path`.

    The repository is locked only for a moment: writing the files happens outside. If it fails or
    is cancelled, neither directory nor branch is left.

    Returns:
        The commit that the branch begins with.

    Raises:
        Impossible: there is no branch `base`.
        Invalid: no branch can be called so.
        Conflict: `name_taken` or `path_taken`.
        GitFailed: git or a hook of the repository refused.
    """
    if not branches.valid_new_name(branch):
        raise Invalid("branch", f"no branch can be called {shown(branch)!r}.")
    tip = await branches.resolve(repo, base)
    async with repos.lock(repo):
        if occupied(path):
            raise Conflict("path_taken", f"There is something at {path} already.")
        if await branches.exists(repo, branch):
            raise Conflict("name_taken", f"There is a branch {branch} already.")
        make_parent(path)
        new = ("--no-track", "-b", branch, "--", path, tip.oid)
        try:
            await git("worktree", "add", "--quiet", "--no-checkout", *new, cwd=repo)
        except BaseException:
            with trio.CancelScope(shield=True):
                await _undo(repo, path, branch, tip.oid)
            raise
        remember(path, await common_dir(repo))
    try:
        await fill(path, report)
    except BaseException:
        with trio.CancelScope(shield=True):
            async with repos.lock(repo):
                await _undo(repo, path, branch, tip.oid)
        raise
    return tip.oid


async def remove(repos: Repositories, repo: Path, path: Path) -> None:
    """Delete the checkout at `path` with everything in it; its branch stays.

    Raises:
        Conflict: `worktree_locked`.
        NotFound: it is no linked worktree of that repository.
    """
    async with repos.lock(repo):
        linked = (await list(repo))[1:]
        found = next((tree for tree in linked if same(tree.path, path)), None)
        if found is None:
            raise NotFound("worktree", path)
        if found.locked:
            raise Conflict("worktree_locked", f"The worktree {path} is locked in git.")
    # Slow, so without the lock. If it is interrupted, the worktree is still on record.
    await trio.to_thread.run_sync(delete, path)
    async with repos.lock(repo):
        await git("worktree", "remove", "--force", "--force", "--", found.path, cwd=repo)
        forget(path)


async def _undo(repo: Path, path: Path, branch: str, oid: str) -> None:
    forget(path)
    await trio.to_thread.run_sync(delete, path)
    # Each of these may find that git had not come so far.
    await git("worktree", "remove", "--force", "--force", "--", path, cwd=repo, check=False)
    await git("update-ref", "-d", f"refs/heads/{branch}", oid, cwd=repo, check=False)
