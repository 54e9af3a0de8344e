"""Files of a checkout that a switch from one commit to another would overwrite."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from anyond.git.diff.status import status
from anyond.git.program.command import git
from anyond.git.program.text import split


async def in_the_way(checkout: Path, old: str, new: str) -> list[str]:
    """The local changes in a checkout, ignored files included, that going from `old` to `new` would
    overwrite."""
    ask = ("diff-tree", "-r", "-z", "--name-status", "--no-renames", old, new, "--")
    listed = (await git(*ask, cwd=checkout)).out
    local = await status(checkout, untracked="all", renames=False)
    mine = {*local.changed, *local.untracked, *local.conflicted}
    # In a thread: many new files may come, and each is looked for.
    return await trio.to_thread.run_sync(_overwritten, checkout, listed, mine)


def _overwritten(checkout: Path, listed: bytes, mine: set[str]) -> list[str]:
    fields = split(listed)
    changed = dict(zip(fields[1::2], fields[::2], strict=True))
    below = {parent for path in changed for parent in _parents(path)}
    found = {
        path
        for path in mine
        if path in changed or path in below or any(p in changed for p in _parents(path))
    }
    # An ignored file is nobody's change, and still somebody's file.
    new_files = (path for path, change in changed.items() if change == "A")
    found |= {path for path in new_files if _is_file(checkout / path)}
    return sorted(found)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())
