"""Resetting a worktree to an earlier commit."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.git.diff.status import in_progress, status
from anyond.git.files import written_files
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.checkouts import (
    CHECKOUT_TIMEOUT_S,
    PARALLEL,
    current_branch,
    list_checkouts,
)
from anyond.git.repo.repository import git_dir, identity
from anyond.git.snapshots import snapshots
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.worktrees import BranchCheckedOut
from anyond.real_path import same_place

_MAILS = Path("rebase-apply", "applying")
"""What `git am` has in its state, and a rebase has not."""


async def reset(worktree: Path, oid: str, branch: str | None = None) -> None:
    """Make a branch, the index and all tracked files those of the commit `oid`.

    An unfinished rebase, merge, cherry-pick or revert is aborted first, so that the branch is
    checked out again. Untracked files stay, except those that the commit itself has under the same
    name. What is lost here must have been stored before (see `snapshots`).

    Args:
        branch: what is moved and checked out, whatever is now; None: the branch that is now.

    Raises:
        NotFound: no such worktree, or no such commit.
        Conflict: `branch_checked_out`: `branch` is in another checkout.
    """
    goal = await check(worktree, oid, branch)
    await abort(worktree)
    if branch is not None and await current_branch(worktree) != branch:
        # The branch that somebody has checked out here instead is none of ours.
        await git(
            "symbolic-ref", "-m", "anyon: reset", "HEAD", f"refs/heads/{branch}", cwd=worktree
        )
    # This also forgets an unfinished merge, cherry-pick or revert.
    ask = (*PARALLEL, "reset", "--hard", "--quiet", goal, "--")
    await git(*ask, cwd=worktree, timeout=CHECKOUT_TIMEOUT_S, lasting=True)


async def check(worktree: Path, oid: str, branch: str | None = None) -> str:
    """Find out whether `reset` could be; nothing is changed.

    Returns:
        The full id of the commit `oid`.

    Raises:
        NotFound, Conflict: see `reset`.
    """
    if git_dir(worktree) is None:
        raise NotFound("worktree", worktree)
    goal = await branches.commit(worktree, oid)
    if branch is not None:
        await _refuse_other_checkout(worktree, branch)
    return goal


async def undo(
    repo: Path, worktree: Path, *, branch: str, tip: str, goal: str, snapshot: str
) -> None:
    """Bring back the state before a reset, however far that has come.

    Args:
        branch: what was moved.
        tip: the commit that it was at; "" if it was gone.
        goal: the commit that it was reset to.
        snapshot: the ref of the state before. A rebase that was in progress then is not any more.
    """
    await abort(worktree)
    if tip:
        ref = f"refs/heads/{branch}"
        await git("update-ref", "-m", "anyon: undo reset", ref, tip, cwd=repo)
    await snapshots.put_back(repo, snapshot, worktree)
    await written_files.take_back(worktree, goal, snapshot)


async def is_unfinished(worktree: Path) -> bool:
    """Return whether there is anything for `abort` to end."""
    if git_dir(worktree) is None:
        return False
    return await in_progress(worktree) is not None or bool((await status(worktree)).conflicted)


async def abort(worktree: Path) -> None:
    """End an unfinished operation and have its branch checked out, where it was before.

    It does not matter how far the operation has come, e.g. whether all conflicts are resolved.
    Conflicts of an operation that git keeps no record of (a squash, a stash) go back to HEAD.
    """
    going_on = await in_progress(worktree)
    if going_on is None:
        if (await status(worktree, untracked="no")).conflicted:
            await git("reset", "--merge", "--quiet", cwd=worktree)
        return
    who = await identity(worktree)
    if going_on.op != "rebase":
        # Git's own way also brings back what was changed, but not committed, before it began.
        verb = going_on.op.replace("_", "-")
        await git(verb, "--abort", cwd=worktree, env=who, check=False)
        if await in_progress(worktree) is None:
            return
        await git("reset", "--hard", "--quiet", "HEAD", "--", cwd=worktree)
        for sequence in ("cherry-pick", "revert"):
            # The rest of a sequence of several commits, if it was one.
            await git(sequence, "--quit", cwd=worktree, check=False)
        return
    # Of a rebase whose state is torn, git may not know the branch any more.
    which = "am" if await trio.to_thread.run_sync(_is_of_mails, worktree) else "rebase"
    await git(which, "--abort", cwd=worktree, env=who, check=False)
    # Git forgets it last, so that it has ended if nothing is left of it, whatever git says.
    if await in_progress(worktree) is not None:
        # Its state is damaged, or a file is in the way: forget it, and name the branch ourselves.
        await git(which, "--quit", cwd=worktree)
        if going_on.branch:
            ref = f"refs/heads/{going_on.branch}"
            await git("symbolic-ref", "-m", "anyon: abort", "HEAD", ref, cwd=worktree)
            await git("reset", "--hard", "--quiet", ref, "--", cwd=worktree)


def _is_of_mails(worktree: Path) -> bool:
    own = git_dir(worktree)
    return own is not None and os.path.lexists(own / _MAILS)


async def _refuse_other_checkout(worktree: Path, branch: str) -> None:
    for other in await list_checkouts(worktree):
        if other.branch == branch and not other.prunable and not same_place(other.path, worktree):
            raise BranchCheckedOut(as_utf8(branch), other.path)
