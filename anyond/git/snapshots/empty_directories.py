"""Noting and restoring the empty directories of a checkout, of which git knows nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

import trio

from anyond.git.commits.deletion import contained
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.model.refusals.requests import Invalid

MOST = 200
"""So many are noted: they are places for caches and output, and the note is part of a message."""
_LOOKED_AT = 5_000


async def note(worktree: Path, env: dict[str, str]) -> str | None:
    """All that are in no ignored directory, as one line; None if there are none.

    Args:
        env: names an index in which all files are, so that only directories are left.
    """
    ask = ("ls-files", "--others", "--directory", "--exclude-standard", "-z")
    others = await parsed((await git(*ask, cwd=worktree, env=env)).out, split)
    tops = [path for path in others if path.endswith("/")]
    found = await trio.to_thread.run_sync(_empty_below, worktree, tops)
    return " ".join(quote_from_bytes(os.fsencode(path)) for path in found) or None


def make(worktree: Path, noted: str) -> None:
    """Make the directories of a `note` that are not there. Blocks on the disk."""
    for word in noted.split()[:MOST]:
        try:
            path = worktree / contained(worktree, os.fsdecode(unquote_to_bytes(word)))
            path.mkdir(parents=True, exist_ok=True)
        except (Invalid, OSError):
            # Not of our making, or something else is there: a directory is not worth the rest.
            continue


def _empty_below(worktree: Path, tops: Iterable[str]) -> list[str]:
    found: list[str] = []
    waiting = [top.rstrip("/") for top in reversed(list(tops))]
    looked_at = 0
    while waiting and len(found) < MOST and looked_at < _LOOKED_AT:
        looked_at += 1
        path = waiting.pop()
        try:
            with os.scandir(worktree / path) as entries:
                inner = list(entries)
        except OSError:
            continue  # it went away meanwhile, or may not be looked at
        if not inner:
            found.append(path)
        elif all(e.is_dir(follow_symlinks=False) and e.name != ".git" for e in inner):
            # One with a file in it holds only what is ignored, or it would be in the index.
            waiting += sorted((f"{path}/{entry.name}" for entry in inner), reverse=True)
    return found
