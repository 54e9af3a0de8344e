"""Renaming a branch: by us, by half, or by somebody else."""

from __future__ import annotations

import os
from pathlib import Path

from anyond.git.diff.status import in_progress
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches, checkouts
from anyond.git.repo.checkouts import current_branch
from anyond.git.repo.repository import Repositories, git_dir
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import FINISH_FIRST, NameTaken, operation_in_progress


async def check(repo: Path, old: str, new: str) -> str:
    """Check that the local branch `old` could be called `new`.

    Returns:
        The commit that it points to.

    Raises:
        Invalid: no branch can be called so.
        NotFound: there is no branch `old`.
        Conflict: `name_taken`, by a local branch or one of a remote; `rebase_in_progress`.
    """
    if not branches.valid_new_name(new):
        raise Invalid("new_branch_name", f"no branch can be called {as_utf8(new)!r}.")
    tip = await branches.find(repo, old)
    if tip is None or tip.is_remote:
        raise NotFound("branch", as_utf8(old))
    for tree in await checkouts.list_checkouts(repo):
        if tree.bare or tree.prunable or git_dir(tree.path) is None:
            continue
        going_on = await in_progress(tree.path)
        if going_on is not None and old in (going_on.branch, tree.branch):
            raise operation_in_progress(going_on.op, tree.path, FINISH_FIRST)
    await _refuse_taken(repo, old, new)
    return tip.oid


async def rename(repos: Repositories, repo: Path, old: str, new: str) -> None:
    """Call the local branch `old` from now on `new`, in every checkout; its reflog comes along.

    Raises:
        Invalid, NotFound, Conflict: see `check`; nothing has changed.
        GitFailed, Locked: git refused; perhaps after a part of it (see `resume`).
    """
    async with repos.lock(repo):
        await check(repo, old, new)
        # Not twice: it may have renamed the branch, and been refused for the HEAD of a checkout.
        await git("branch", "-m", "--", old, new, cwd=repo, again=False)


async def followed(worktree: Path, branch: str) -> str | None:
    """Return the present name of a checkout's branch, if somebody has renamed `branch` by other
    means.

    None if `branch` exists, or if what is checked out is another one: the reflog of a branch tells
    what it was called before.
    """
    if git_dir(worktree) is None:
        return None
    there = await current_branch(worktree)
    if there in (None, branch) or await branches.exists(worktree, branch):
        return None
    ask = ("log", "--walk-reflogs", "--no-show-signature", "--format=%gs")
    result = await git(*ask, f"refs/heads/{there}", "--", cwd=worktree, check=False)
    former = f"Branch: renamed refs/heads/{branch} to refs/heads/"
    lines = os.fsdecode(result.out).split("\n")
    return there if any(line.startswith(former) for line in lines) else None


async def resume(repo: Path, worktree: Path | None, old: str, new: str, oid: str) -> bool:
    """After a crash in the middle of `rename`: make it whole, or find that it never began.

    Args:
        worktree: the checkout of the branch, if it has one.
        oid: the commit that the branch pointed to.

    Returns:
        Whether the branch is called `new` now.
    """
    here = worktree if worktree is not None and git_dir(worktree) is not None else None
    there = await current_branch(here) if here is not None else None
    if there != new and await branches.exists(repo, old):
        return False
    if not await branches.exists(repo, new):
        # Git takes the old name away before it gives the new one.
        await git("update-ref", f"refs/heads/{new}", oid, "", cwd=repo)
    if here is not None and there == old:
        ref = f"refs/heads/{new}"
        await git("symbolic-ref", "-m", "anyon: rename", "HEAD", ref, cwd=here)
    return True


async def _refuse_taken(repo: Path, old: str, new: str) -> None:
    listed = await git(
        "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes", cwd=repo
    )
    for line in listed.out.splitlines():
        ref = os.fsdecode(line)
        if ref.startswith("refs/heads/"):
            name = ref.removeprefix("refs/heads/")
            # Git keeps names like paths: beside `a` there cannot be `a/b`.
            nested = name.startswith(f"{new}/") or new.startswith(f"{name}/")
            taken = name != old and (name == new or nested)
        else:
            name = ref.removeprefix("refs/remotes/")
            taken = new in (name, name.partition("/")[2])
        if taken:
            raise NameTaken.by_branch(as_utf8(new), as_utf8(name))
