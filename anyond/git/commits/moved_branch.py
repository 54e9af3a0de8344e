"""Following a checkout's branch that somebody has moved from elsewhere.

Theory of operation. A branch that is checked out can be moved without its checkout: by `git
update-ref`, by a push or fetch into it, or by a second checkout of it. HEAD of the first one then
is the new commit, its index and files are those of the old one, and a commit of everything would
take back what came. Each checkout has a log of its own of what its HEAD was: if the last word of
that is another commit, the branch was moved from elsewhere, and index and files follow first.
"""

from __future__ import annotations

import os
from pathlib import Path

from anyond.git.commits import saved_commits
from anyond.git.diff.status import in_progress
from anyond.git.disk import plain_files
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.checkouts import CHECKOUT_TIMEOUT_S, PARALLEL, current_branch, head
from anyond.git.repo.repository import git_dir
from anyond.model.refusals.worktrees import BranchMoved

_TAIL_BYTES = 1 << 16


async def follow(worktree: Path, attempt_id: str) -> list[str]:
    """Bring index and files to where the branch was moved; uncommitted changes stay.

    Args:
        worktree: the top of a checkout.
        attempt_id: whose it is; what the branch had before is kept in its name.

    Returns:
        What a person should know of it, in sentences.

    Raises:
        Conflict: `branch_moved`: uncommitted changes are in the way; nothing has changed.
    """
    branch, now = await current_branch(worktree), await head(worktree)
    own = git_dir(worktree)
    if own is None or branch is None or now is None or await in_progress(worktree) is not None:
        return []
    last = await _last(worktree, own)
    if last in (None, now) or last is None or not await _is_commit(worktree, last):
        return []
    ask = ("diff-index", "--cached", "--quiet", now, "--")
    if (await git(*ask, cwd=worktree, check=False)).code == 0:
        return []  # the index has followed already
    moved = f"The branch {as_utf8(branch)} was moved from {last[:12]} to {now[:12]} elsewhere"
    text = f"{moved}; the worktree has followed."
    if not await branches.is_ancestor(worktree, last, now):
        ref = await saved_commits.keep(worktree, attempt_id, "branch", last)
        text += f" What it had before is kept as {ref}."
    await git("update-index", "-q", "--refresh", cwd=worktree, check=False)
    ask = ("read-tree", "-m", "-u", last, now)
    done = await git(*PARALLEL, *ask, cwd=worktree, check=False, timeout=CHECKOUT_TIMEOUT_S)
    if done.code != 0:
        why = done.err.strip().partition("\n")[0]
        raise BranchMoved(moved, worktree, why)
    # The log of HEAD tells from now on that this checkout knows.
    ref = f"refs/heads/{branch}"
    await git("symbolic-ref", "-m", "anyon: follow", "HEAD", ref, cwd=worktree)
    return [text]


async def _last(worktree: Path, own: Path) -> str | None:
    """The commit that the log of HEAD has as its newest; None if there is no log."""
    if (own / "reftable").is_dir():
        ask = ("log", "--walk-reflogs", "--no-show-signature", "-1", "--format=%H", "HEAD", "--")
        return (await git(*ask, cwd=worktree, check=False)).text or None
    try:
        with plain_files.opened(own / "logs" / "HEAD") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().rstrip(b"\n").split(b"\n")
    except OSError:
        return None
    fields = os.fsdecode(lines[-1]).split(" ", 2)
    return fields[1] if len(fields) == 3 else None


async def _is_commit(worktree: Path, oid: str) -> bool:
    asked = await git("cat-file", "-t", oid, cwd=worktree, check=False)
    return asked.text == "commit"
