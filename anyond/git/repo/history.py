"""Frequency and recency of changes of each file, as far as the latest commits tell."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from anyond.git.program.command import git
from anyond.git.program.parsing import parsed

COMMITS = 5000
_CHUNK = 500
_MOST_PATHS = 1_000_000
_MARK = b"/"  # no path of git's begins so

# A partial clone must not fetch what nobody needs for a ranking (git 2.44 and newer know this).
_HERE = {"GIT_NO_LAZY_FETCH": "1"}

Counts = dict[str, tuple[int, int]]
"""Path -> the number of commits that changed it, and the Unix time of the latest."""


async def counts(repository: Path, revisions: str, most: int = COMMITS) -> Counts:
    """Count the changes in the newest commits of `revisions`; merges count for nothing.

    Args:
        revisions: an object id, or two with `..` between them.
        most: how many commits.

    Raises:
        GitFailed: there is no such commit, or it cannot be read.
    """
    found: Counts = {}
    seen = 0
    for skip in range(0, most, _CHUNK):
        answer = await git(
            *("log", "-z", f"--max-count={min(_CHUNK, most - skip)}", f"--skip={skip}"),
            *("--name-only", "--no-renames", "--no-merges", "--no-show-signature", "--no-ext-diff"),
            *("--format=/%ct", revisions, "--"),
            cwd=repository,
            env=_HERE,
            timeout=60.0,
        )
        if not answer.out:
            break
        seen += await parsed(answer.out, partial(_count, found=found))
        if seen > _MOST_PATHS:
            break  # huge commits; the newest ones tell enough
    return found


def _count(output: bytes, found: Counts) -> int:
    seen = at = 0
    first = False
    for part in output.split(b"\0"):
        if part.startswith(_MARK):
            # A damaged commit may have no time.
            at, first = int(part.removeprefix(_MARK) or b"0"), True
            continue
        name = part.removeprefix(b"\n") if first else part
        first = False
        if name:
            seen += 1
            path = name.decode("utf-8", "surrogateescape")
            before, latest = found.get(path, (0, 0))
            found[path] = before + 1, max(latest, at)
    return seen


async def is_ancestor(repository: Path, old: str, new: str) -> bool:
    """Return whether everything that `old` knows is in the history of `new`."""
    ask = ("merge-base", "--is-ancestor", old, new)
    return (await git(*ask, cwd=repository, check=False)).code == 0
