"""Repositories inside a worktree that hold what nobody else has, or what no commit of it has."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.git.program.command import NOT_INSIDE, git
from anyond.git.program.parsing import GITLINK, gitlinks, parsed
from anyond.git.program.text import split
from anyond.git.repo.repository import git_dir
from anyond.git.submodules.submodule_stores import listed, run


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
    paths = await parsed(staged, gitlinks)
    return [f"{path}/" for path in paths if await _has_something(worktree / path)]


async def nested_repositories(worktree: Path, since: str | None) -> list[str]:
    """The repositories in a checkout that are no submodules, so that its commits lack their files.

    Args:
        since: those that this commit mentions already are left out; git leaves out none of those
            that have no commit themselves, and so are mentioned nowhere.
    """
    others = await git("ls-files", "--others", "--exclude-standard", "-z", cwd=worktree)
    paths = await parsed(others.out, split)
    found = [path.rstrip("/") for path in paths if path.endswith("/")]
    if since is None:
        return await trio.to_thread.run_sync(_repositories, worktree, found)
    ask = ("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AT", "--ignore-submodules=none")
    fields = await parsed((await git(*ask, since, "HEAD", cwd=worktree)).out, split)
    changes = zip(fields[::2], fields[1::2], strict=True)
    fresh = [path for facts, path in changes if facts.split(" ")[1] == GITLINK]
    if fresh:
        ask = (
            "config",
            "--file",
            ".gitmodules",
            "--null",
            "--get-regexp",
            r"^submodule\..*\.path$",
        )
        result = split((await git(*ask, cwd=worktree, check=False)).out)
        declared = {setting.partition("\n")[2] for setting in result}
        found += [path for path in fresh if path not in declared]
    return await trio.to_thread.run_sync(_repositories, worktree, found)


async def unsaved(worktree: Path, *, untracked: bool = True) -> list[str]:
    """The submodules that have changes of files in no commit of theirs, those inside of others too.

    Args:
        untracked: whether new files count.
    """
    found: list[str] = []
    if not await trio.to_thread.run_sync(_may_have_any, worktree):
        return found
    new = "normal" if untracked else "no"
    for sub in await listed(worktree):
        if sub.store is not None:
            ask = ("status", "--porcelain", "--ignore-submodules=all", f"--untracked-files={new}")
            result = await run(sub.store, *ask, work_tree=worktree / sub.path)
            found += [sub.path] if result.code == 0 and result.out else []
    return found


def _repositories(worktree: Path, paths: list[str]) -> list[str]:
    # Not another checkout of the same repository, whose branch keeps what is in it.
    return [path for path in paths if (worktree / path / ".git").is_dir()]


def _may_have_any(worktree: Path) -> bool:
    """Return whether it is worth the while to read the whole index."""
    own = git_dir(worktree)
    return own is not None and any(
        os.path.lexists(place) for place in (worktree / ".gitmodules", own / "modules")
    )


async def _has_something(submodule: Path) -> bool:
    if git_dir(submodule) is None:
        return False
    inner = (await git("ls-files", "--stage", "-z", cwd=submodule, check=False)).out
    for path in await parsed(inner, gitlinks):
        if await _has_something(submodule / path):
            return True
    changed = await git("status", "--porcelain", NOT_INSIDE, cwd=submodule, check=False)
    ask = ("rev-list", "--max-count=1", "HEAD", "--branches", "--not", "--remotes")
    unpushed = await git(*ask, cwd=submodule, check=False)
    # One that cannot say so is kept, too.
    return bool(changed.code or changed.out or unpushed.code or unpushed.out)
