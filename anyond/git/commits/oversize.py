"""New files that are too large to be committed in somebody's absence."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, split

LIMIT_BYTES = 100 * 1024 * 1024
"""What GitHub takes no file above. Once in a history, a core dump or a dataset never goes again."""

_GITS_OWN = {"unspecified", "unset"}


class Oversized(NamedTuple):
    """A file, relative to its worktree, and its size in bytes."""

    path: str
    size: int


async def oversized(worktree: Path, limit: int = LIMIT_BYTES) -> list[Oversized]:
    """The untracked files of more than `limit` bytes that would be new to the repository.

    Not those of which it keeps something else (Git LFS), and not those that were only moved.
    """
    others = await git("ls-files", "--others", "--exclude-standard", "-z", cwd=worktree)
    paths = await parsed(others.out, split)
    found = await trio.to_thread.run_sync(_larger, worktree, paths, limit)
    if not found:
        return []
    names = join([file.path for file in found])
    result = await git("check-attr", "-z", "--stdin", "filter", cwd=worktree, input=names)
    fields = split(result.out)
    plain = {path for path, value in zip(fields[::3], fields[2::3], strict=True)
             if value in _GITS_OWN}  # fmt: skip
    moved = await _missing(worktree)
    return [
        file for file in found if file.path in plain and not await _is_one_of(worktree, file, moved)
    ]


async def _missing(worktree: Path) -> dict[str, int]:
    """The contents of tracked files that are not there any more, and how large each is."""
    listed = await git("ls-files", "--deleted", "--stage", "-z", cwd=worktree)
    oids = {line.split(" ", 2)[1] for line in split(listed.out)}
    if not oids:
        return {}
    ask = ("cat-file", "--batch-check=%(objectname) %(objectsize)")
    sizes = await git(*ask, cwd=worktree, input="\n".join(oids).encode() + b"\n")
    rows = (line.split(" ") for line in sizes.text.splitlines())
    # Of an object that is not here, git says only so.
    return {oid: int(size) for oid, size in rows if size.isdigit()}


async def _is_one_of(worktree: Path, file: Oversized, contents: dict[str, int]) -> bool:
    if file.size not in contents.values():
        return False
    hashed = await git("hash-object", "--", file.path, cwd=worktree, timeout=1800)
    return hashed.text in contents


def _larger(worktree: Path, paths: Sequence[str], limit: int) -> list[Oversized]:
    found: list[Oversized] = []
    for path in paths:
        try:
            now = os.lstat(worktree / path)
        except OSError:
            continue  # it went away meanwhile, or may not be looked at
        if stat.S_ISREG(now.st_mode) and now.st_size > limit:
            found.append(Oversized(path, now.st_size))
    return found
