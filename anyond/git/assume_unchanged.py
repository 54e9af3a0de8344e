"""Which tracked files git was told to take for unchanged, and how it looks at them all the same."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.git.command import git
from anyond.git.parsing import parsed
from anyond.git.text import join, split


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
