"""Earlier commits of a checkout whose attributes differ from those of now.

Git writes a file as the attributes of that moment want it, and leaves it so when these change in a
commit, however that came to be: somebody committed other ones, or a rebase has brought them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.program.command import git
from anyond.git.repo import libgit2
from anyond.git.repo.repository import git_dir

_RULES = ":(top,glob)**/.gitattributes"
_MOST_BYTES = 1 << 16
_MOST_COMMITS = 100
_MOST_RULES = 8
_ENTRY = re.compile(rb"[0-9a-f]{40,64} ([0-9a-f]{40,64}) ")


async def differing(worktree: Path) -> list[str]:
    """One commit for each set of attributes that held before, the newest first, and the one that
    the checkout began with in any case."""
    visited = await trio.to_thread.run_sync(_visited, worktree)
    if not visited:
        return []
    head, gone = await _head(worktree, visited)
    if head is None:
        return []
    visited = [oid for oid in visited if oid not in gone]
    # Each is compared with the one that came after it: most commits leave the attributes alone.
    pairs = zip(visited, [head, *visited], strict=False)
    steps = [(oid, later) for oid, later in pairs if oid != later]
    different = await _different(worktree, steps) if steps else set()
    found = [oid for oid in visited if oid in different]
    if len(found) > _MOST_RULES:
        found = [*found[: _MOST_RULES - 1], found[-1]]
    return found


async def _head(worktree: Path, visited: Sequence[str]) -> tuple[str | None, set[str]]:
    """The commit that is checked out, if there is one yet; and which of `visited` are not there any
    more.
    """
    try:
        return await libgit2.head(worktree), await libgit2.missing(worktree, visited)
    except libgit2.Refused:
        ask = ("cat-file", "--batch-check=%(objectname)")
        names = "".join(f"{name}\n" for name in ("HEAD", *visited)).encode("ascii")
        lines = (await git(*ask, cwd=worktree, input=names)).out.decode("ascii").splitlines()
        gone = {line.split(" ")[0] for line in lines if line.endswith(" missing")}
        return (None if "HEAD" in gone else lines[0]), gone


async def _different(worktree: Path, steps: Sequence[tuple[str, str]]) -> set[str]:
    """The first of each pair of commits whose attributes differ; all are asked for at once."""
    ask = ("diff-tree", "--stdin", "-r", "--no-renames", "--name-only", "-z", "--", _RULES)
    lines = "".join(f"{oid} {later}\n" for oid, later in steps).encode("ascii")
    listed = await git(*ask, cwd=worktree, input=lines, check=False)
    asked = {oid for oid, _ in steps}
    return asked.intersection(listed.out.decode("ascii", "replace").split("\0"))


def _visited(worktree: Path) -> list[str]:
    """The commits that HEAD has been at, the newest first; the first one is always among them."""
    own = git_dir(worktree)
    if own is None:
        return []
    try:
        with (own / "logs" / "HEAD").open("rb") as file:
            first = file.readline(_MOST_BYTES)
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _MOST_BYTES))
            last = file.read().split(b"\n")
    except OSError:
        return []  # the person has logs turned off
    entries = [_ENTRY.match(line) for line in (*reversed(last), first)]
    oids = list(dict.fromkeys(entry[1].decode("ascii") for entry in entries if entry))
    return [*oids[:_MOST_COMMITS], *oids[-1:]] if len(oids) > _MOST_COMMITS else oids
