"""Tracked files that git takes for unchanged by order, and a look at them all the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.diff.unedited import settle_copy
from anyond.git.disk.scratch import scratch
from anyond.git.files.index_stat import copy_index
from anyond.git.program.command import NOT_INSIDE, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, split
from anyond.git.repo.repository import git_dir


class Hidden(NamedTuple):
    """A changed file that no commit will have; `mark` is the option of `git update-index`."""

    path: str
    mark: str


async def changed(worktree: Path) -> list[Hidden]:
    """The files with such a mark that were changed all the same. Nothing is changed in the index.

    Args:
        worktree: the top of a checkout.
    """
    own = git_dir(worktree)
    if own is None:
        return []
    listed = await git("ls-files", "-v", "-z", cwd=worktree)
    marked = await parsed(listed.out, _marked)
    there = await trio.to_thread.run_sync(_existing, worktree, marked) if marked else []
    if not there:
        return []
    with scratch(own) as private:
        index = private / "index"
        await trio.to_thread.run_sync(copy_index, own, index)
        env = {"GIT_INDEX_FILE": os.fspath(index)}
        await look_again(worktree, env)
        await settle_copy(worktree, index, [path for _, path in there])
        await git("update-index", "-q", "--refresh", cwd=worktree, env=env, check=False)
        ask = ("diff-files", "--name-only", "-z", "--no-ext-diff", NOT_INSIDE)
        differ = set(await parsed((await git(*ask, cwd=worktree, env=env)).out, split))
    return [
        Hidden(path, "skip-worktree" if tag.upper() == "S" else "assume-unchanged")
        for tag, path in there
        if path in differ
    ]


async def look_again(worktree: Path, env: dict[str, str]) -> None:
    """Take the marks `assume-unchanged` and `skip-worktree` from the files that are there.

    Args:
        env: names an index that is nobody else's.
    """
    listed = await git("ls-files", "-v", "-z", cwd=worktree, env=env)
    marked = await parsed(listed.out, _marked)
    there = await trio.to_thread.run_sync(_existing, worktree, marked) if marked else []
    assumed = [path for tag, path in there if tag.islower()]
    skipped = [path for tag, path in there if tag.upper() == "S"]
    for mark, paths in (("assume-unchanged", assumed), ("skip-worktree", skipped)):
        if paths:
            ask = ("update-index", f"--no-{mark}", "-z", "--stdin")
            await git(*ask, cwd=worktree, env=env, input=join(paths))


def _marked(listed: bytes) -> list[tuple[str, str]]:
    lines = split(listed)
    return [(line[0], line[2:]) for line in lines if line[0].islower() or line[0] == "S"]


def _existing(worktree: Path, marked: list[tuple[str, str]]) -> list[tuple[str, str]]:
    # In a sparse checkout most of them are not there, and that is no change.
    return [(tag, path) for tag, path in marked if os.path.lexists(worktree / path)]
