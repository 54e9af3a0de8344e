"""Which submodules of a worktree hold what nobody else has."""

from __future__ import annotations

import os
from pathlib import Path

from anyond.git.command import git
from anyond.git.parsing import parsed
from anyond.git.repository import git_dir

_GITLINK = b"160000 "


async def only_here(worktree: Path, env: dict[str, str]) -> list[str]:
    """The submodules that are checked out and would take something with them when they go.

    The repository of a submodule goes with the worktree. What its remotes have can be had again;
    changes of its files, and commits that were not pushed, cannot.

    Args:
        env: names the index to look into.

    Returns:
        Their paths, each with a slash at its end.
    """
    staged = (await git("ls-files", "--stage", "-z", cwd=worktree, env=env)).out
    paths = await parsed(staged, _gitlinks)
    return [f"{path}/" for path in paths if await _has_something(worktree / path)]


def _gitlinks(staged: bytes) -> list[str]:
    lines = [line for line in staged.split(b"\0") if line.startswith(_GITLINK)]
    return [os.fsdecode(line.partition(b"\t")[2]) for line in lines]


async def _has_something(submodule: Path) -> bool:
    if git_dir(submodule) is None:
        return False
    changed = await git("status", "--porcelain", cwd=submodule, check=False)
    ask = ("rev-list", "--max-count=1", "HEAD", "--branches", "--not", "--remotes")
    unpushed = await git(*ask, cwd=submodule, check=False)
    # One that cannot say so is kept, too.
    return bool(changed.code or changed.out or unpushed.code or unpushed.out)
