"""Creating and deleting the checkout of an attempt."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import trio

from anyond.git.disk.locations import forget, remember
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.checkouts import (
    Report,
    Worktree,
    current_branch,
    delete,
    fill,
    head,
    is_there,
    list_checkouts,
    make_parent,
    occupied,
)
from anyond.git.repo.excludes import exclude
from anyond.git.repo.repository import Repositories, common_dir
from anyond.git.worktree.leftovers import delete_except
from anyond.git.worktree.repair import Ensured, ensure, sync
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import NameTaken, PathTaken, WorktreeLocked
from anyond.real_path import same_place

__all__ = [
    "Ensured",
    "Worktree",
    "add",
    "current_branch",
    "ensure",
    "exclude",
    "head",
    "is_left",
    "list_checkouts",
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
        raise Invalid("branch", f"no branch can be called {as_utf8(branch)!r}.")
    tip = await branches.resolve(repo, base)
    async with repos.lock(repo):
        if occupied(path):
            raise PathTaken.by_something(path)
        if await branches.exists(repo, branch):
            raise NameTaken.there(branch)
        make_parent(path)
        new = ("--no-track", "-b", branch, "--", path, tip.oid)
        try:
            await git("worktree", "add", "--quiet", "--no-checkout", *new, cwd=repo, lasting=True)
        except BaseException:  # a cancellation too: nothing half made stays; raised again
            with trio.CancelScope(shield=True):
                await _undo(repo, path, branch, tip.oid)
            raise
        remember(path, await common_dir(repo))
    try:
        await fill(path, report)
        await sync(path)
    except BaseException:  # a cancellation too: nothing half made stays; raised again
        with trio.CancelScope(shield=True):
            async with repos.lock(repo):
                await _undo(repo, path, branch, tip.oid)
        raise
    return tip.oid


async def remove(repos: Repositories, repo: Path, path: Path, leave: Collection[str] = ()) -> None:
    """Delete the checkout at `path` with everything in it, and git's record; its branch stays.

    It is moved aside first, so that what a crash leaves is never taken for a checkout. It does not
    matter how far somebody else, or we before a crash, have come with it.

    Args:
        leave: paths, relative to it, that stay where they are; with them what cannot be deleted.

    Raises:
        Conflict: `worktree_locked`.
        NotFound: what lies there is no linked worktree of that repository.
        ToolFailed: something in it cannot be deleted.
    """
    half = path.with_name(f".{path.name}.removed")
    async with repos.lock(repo):
        found = await _record(repo, path)
        if found is not None and found.locked:
            raise WorktreeLocked(path)
        there = is_there(path)
        if found is not None and there and leave:
            # Here a crash may leave a checkout: what has to stay there must not be deleted later.
            await trio.to_thread.run_sync(delete_except, path, leave)
            await _forget_record(repo, path, found)
            return
        if found is None and (there or not is_there(half)):
            raise NotFound("worktree", path)
        # What an earlier removal has left there is deleted before it could be mixed up.
        await trio.to_thread.run_sync(delete, half)
        if there:
            await trio.to_thread.run_sync(_rename, path, half)
    # Slow, so without the lock.
    await trio.to_thread.run_sync(delete, half)
    async with repos.lock(repo):
        found = await _record(repo, path)
        if found is not None and not is_there(path):
            away = ("worktree", "remove", "--force", "--force", "--", found.path)
            await git(*away, cwd=repo, lasting=True)
        forget(path)


async def _forget_record(repo: Path, path: Path, record: Worktree) -> None:
    """Have git forget a checkout of which something stays on the disk."""
    left = path.with_name(f".{path.name}.left")
    there = is_there(path)
    if there:  # git would delete it, or refuse
        _rename(path, left)
    try:
        away = ("worktree", "remove", "--force", "--force", "--", record.path)
        await git(*away, cwd=repo, lasting=True)
    finally:
        if there:
            _rename(left, path)
    forget(path)


async def is_left(repo: Path, path: Path) -> bool:
    """Return whether anything is left of a checkout at `path`: files, or git's record of it."""
    half = path.with_name(f".{path.name}.removed")
    if is_there(path) or is_there(half):
        return True
    return await _record(repo, path) is not None


async def _record(repo: Path, path: Path) -> Worktree | None:
    linked = (await list_checkouts(repo))[1:]
    return next((tree for tree in linked if same_place(tree.path, path)), None)


def _rename(path: Path, to: Path) -> None:
    try:
        path.rename(to)
    except OSError as error:
        raise ToolFailed("git", f"{path} cannot be deleted: {error.strerror}.") from error


async def _undo(repo: Path, path: Path, branch: str, oid: str) -> None:
    forget(path)
    await trio.to_thread.run_sync(delete, path)
    # Each of these may find that git had not come so far.
    await git("worktree", "remove", "--force", "--force", "--", path, cwd=repo, check=False)
    await git("update-ref", "-d", f"refs/heads/{branch}", oid, cwd=repo, check=False)
