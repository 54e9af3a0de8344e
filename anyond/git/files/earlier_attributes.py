"""Earlier commits of a checkout whose attributes differ from those of now.

Git writes a file as the attributes of that moment want it, and leaves it so when these change in a
commit, however that came to be: somebody committed other ones, or a rebase has brought them.
"""

from __future__ import annotations

import re
from pathlib import Path

import trio

from anyond.git.program.command import git
from anyond.git.repo.repository import git_dir

_RULES = ":(top,glob)**/.gitattributes"
_MOST_BYTES = 1 << 16
_MOST_COMMITS = 100
_MOST_RULES = 8
_ENTRY = re.compile(rb"[0-9a-f]{40,64} ([0-9a-f]{40,64}) ")


async def differing(worktree: Path) -> list[str]:
    """One commit for each set of attributes that held before, the newest first, and the one that
    the checkout began with in any case."""
    own = await trio.to_thread.run_sync(git_dir, worktree)
    if own is None:
        return []
    visited = await trio.to_thread.run_sync(_visited, own / "logs" / "HEAD")
    found: list[str] = []
    now = "HEAD"
    for oid in visited:
        # Compared with the one before: most commits leave the attributes alone.
        if await _differ(worktree, oid, now):
            found.append(oid)
            now = oid
    if len(found) > _MOST_RULES:
        found = [*found[: _MOST_RULES - 1], found[-1]]
    return found


async def _differ(worktree: Path, oid: str, now: str) -> bool:
    ask = ("diff-tree", "-r", "--quiet", "--no-renames", oid, now, "--", _RULES)
    return (await git(*ask, cwd=worktree, check=False)).code == 1


def _visited(log: Path) -> list[str]:
    """The commits that HEAD has been at, the newest first; the first one is always among them."""
    try:
        with log.open("rb") as file:
            first = file.readline(_MOST_BYTES)
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _MOST_BYTES))
            last = file.read().split(b"\n")
    except OSError:
        return []  # the person has logs turned off
    entries = [_ENTRY.match(line) for line in (*reversed(last), first)]
    oids = list(dict.fromkeys(entry[1].decode("ascii") for entry in entries if entry))
    return [*oids[:_MOST_COMMITS], *oids[-1:]] if len(oids) > _MOST_COMMITS else oids
