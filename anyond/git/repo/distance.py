"""The distance between an attempt and its target, and what of that a repository cannot know."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.program.command import git
from anyond.git.repo import branches
from anyond.git.repo.repository import common_dir
from anyond.model.refusals.merging import UnrelatedHistories

_SHALLOW = (
    "The repository is shallow, and the attempt and its target have no commit in common that is "
    "here. `git fetch --unshallow` brings the rest."
)


class Distance(NamedTuple):
    """Commits that only the attempt has, and that only its target has.

    Args:
        unknown: by the names of `BranchStatus`, what is 0 only because it cannot be known, and why.
    """

    ahead: int
    behind: int
    unknown: dict[str, str]


async def measure(repo: Path, mine: str, target: str, left: str | None) -> Distance:
    """Compare two commits of which one may not know the history of the other.

    Args:
        mine, target: the tips of the attempt's branch and of its target.
        left: the commit where the attempt began, if that is known.
    """
    ahead, behind = await branches.ahead_behind(repo, mine, target)
    if await branches.merge_base(repo, mine, target) is not None:
        return Distance(ahead, behind, {})
    unknown: dict[str, str] = {}
    cut = await is_shallow(repo)
    if cut:
        behind, unknown = 0, {"commits_behind": _SHALLOW}
    if left is not None and await branches.is_ancestor(repo, left, mine):
        ahead = int((await git("rev-list", "--count", f"{left}..{mine}", "--", cwd=repo)).text)
    elif cut:
        ahead = 0
        unknown["commits_ahead"] = _SHALLOW
    return Distance(ahead, behind, unknown)


async def is_shallow(repo: Path) -> bool:
    """Return whether older commits were left out when the repository was cloned or fetched."""
    return await trio.Path(await common_dir(repo) / "shallow").exists()


async def nothing_in_common(repo: Path, what: str) -> UnrelatedHistories:
    """Return the refusal to do `what` with two commits that share none."""
    return UnrelatedHistories(what, shallow=await is_shallow(repo))
