"""What is asked of pygit2: questions about the commit graph, which need no new process.

It is loaded at the first question, not at the start: it is the largest of our libraries, and a
daemon that only waits does not need it.
"""

from __future__ import annotations

from pathlib import Path

import trio


class Refused(Exception):
    """Libgit2 does not open such a repository, or does not find the object: ask git instead."""


async def ahead_behind(path: Path, a: str, b: str) -> tuple[int, int]:
    """How many commits only `a` has, and how many only `b` has; both are commit ids.

    Raises:
        Refused: see there.
    """
    return await trio.to_thread.run_sync(_ahead_behind, path, a, b)


async def merge_base(path: Path, a: str, b: str) -> str | None:
    """The newest commit that `a` and `b` share, or None; both are commit ids.

    Raises:
        Refused: see there.
    """
    return await trio.to_thread.run_sync(_merge_base, path, a, b)


def _ahead_behind(path: Path, a: str, b: str) -> tuple[int, int]:
    import pygit2

    # The objects of pygit2 are not safe among threads; opening costs a tenth of a millisecond.
    try:
        ahead, behind = pygit2.Repository(str(path)).ahead_behind(a, b)
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error
    return ahead, behind


def _merge_base(path: Path, a: str, b: str) -> str | None:
    import pygit2

    try:
        found = pygit2.Repository(str(path)).merge_base(a, b)
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error
    return None if found is None else str(found)
