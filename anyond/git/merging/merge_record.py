"""Records of merges: whether both ends are there, and what is not merged yet."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from anyond.git.diff.status import status
from anyond.git.merging.merge_in_memory import merged_tree
from anyond.git.program.command import git
from anyond.git.repo import branches
from anyond.git.repo.repository import git_dir
from anyond.model.errors import Conflict

_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class MergeRecord(NamedTuple):
    """A branch was at the commit `before`, and then at `after`."""

    before: str
    after: str


async def find(repo: Path, before: str | None, after: str) -> MergeRecord | None:
    """The merge between two commits, or None if the repository does not have both.

    Args:
        repo: anywhere in the repository, which may be gone.
        before: None stands for the first parent of `after`.
        after: as somebody says it is called; anything but a full id is not found.
    """
    ends = (f"{after}^" if before is None else before, after)
    if not _is_there(repo) or not all(_OID.fullmatch(end.removesuffix("^")) for end in ends):
        return None
    asked = "".join(f"{end}^{{commit}}\n" for end in ends).encode("ascii")
    result = await git("cat-file", "--batch-check", cwd=repo, input=asked, check=False)
    found = [line.split(" ") for line in result.out.decode("utf-8", "replace").splitlines()]
    if result.code != 0 or [kind for _, kind, *_ in found] != ["commit", "commit"]:
        return None
    return MergeRecord(found[0][0], found[1][0])


async def holds(repo: Path, branch: str, commit: str) -> bool:
    """Return whether `branch` is there and has `commit`."""
    tip = await branches.find(repo, branch)
    return tip is not None and await branches.is_ancestor(repo, commit, tip.oid)


async def has_all(repo: Path, worktree: Path, commit: str) -> bool:
    """Return whether everything in a checkout is in `commit` too, whichever commits brought it
    there.

    After a squash or a rebase the commits of an attempt are not in the history of its target. So
    the two are merged, in memory: nothing may come of it.
    """
    if git_dir(worktree) is None:
        return False
    found = await status(worktree)
    if found.head_oid is None or not found.clean or found.untracked or found.op is not None:
        return False
    try:
        both = await merged_tree(repo, commit, found.head_oid)
    except Conflict:
        return False
    return both == (await git("rev-parse", "--verify", f"{commit}^{{tree}}", cwd=repo)).text


def _is_there(repo: Path) -> bool:
    # Unlike Path.is_dir, this does not raise for what may not be looked at.
    return os.path.isdir(repo)
