"""Questions to pygit2 about commits and blobs, which need no new process.

It is loaded at the first question, not at the start: it is the largest of our libraries, and a
daemon that only waits does not need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.disk.locations import locate


class Refused(Exception):
    """Libgit2 does not open such a repository, or does not find the object: ask git instead."""


async def ahead_behind(path: Path, a: str, b: str) -> tuple[int, int]:
    """Count the commits that only `a` has, and those that only `b` has; both are commit ids.

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


async def head(worktree: Path) -> str | None:
    """The id of the commit that is checked out, or None if there is none yet.

    Raises:
        Refused: see there.
    """
    return await trio.to_thread.run_sync(_head, worktree)


async def fork_point(worktree: Path, refs: Sequence[str], left: str | None) -> str | None:
    """The newest commit that HEAD shares with the first of `refs` that exists; without one, the
    commit `left` if HEAD has it, or else HEAD.

    Returns:
        Its id, or None if there is no commit yet.

    Raises:
        Refused: see there.
    """
    return await trio.to_thread.run_sync(_fork_point, worktree, refs, left)


async def sizes(path: Path, oids: Sequence[str]) -> dict[str, int]:
    """Return the sizes of these blobs in bytes.

    Raises:
        Refused: see there; also if only one is not found.
    """
    return await trio.to_thread.run_sync(_sizes, path, oids)


async def contents(path: Path, oids: Sequence[str]) -> dict[str, bytes]:
    """The bytes of each of these blobs.

    Raises:
        Refused: see there; also if only one is not found.
    """
    return await trio.to_thread.run_sync(_contents, path, oids)


async def missing(path: Path, oids: Sequence[str]) -> set[str]:
    """Those of these objects that the repository itself does not have; nothing is fetched.

    Raises:
        Refused: see there.
    """
    return await trio.to_thread.run_sync(_missing, path, oids)


def _place(path: Path) -> str:
    """Return the directory for libgit2: the git directory that is known, so that it looks for
    none.
    """
    place = locate(path)
    return str(path if place is None else place.git_dir)


def _ahead_behind(path: Path, a: str, b: str) -> tuple[int, int]:
    import pygit2

    # The objects of pygit2 are not safe among threads; opening costs a tenth of a millisecond.
    try:
        ahead, behind = pygit2.Repository(_place(path)).ahead_behind(a, b)
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error
    return ahead, behind


def _merge_base(path: Path, a: str, b: str) -> str | None:
    import pygit2

    try:
        found = pygit2.Repository(_place(path)).merge_base(a, b)
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error
    return None if found is None else str(found)


def _head(worktree: Path) -> str | None:
    import pygit2

    try:
        repository = pygit2.Repository(_place(worktree))
        return None if repository.head_is_unborn else str(repository.head.target)
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error


def _fork_point(worktree: Path, refs: Sequence[str], left: str | None) -> str | None:
    import pygit2

    try:
        repository = pygit2.Repository(_place(worktree))
        if repository.head_is_unborn:
            return None
        head = repository.head.target
        for ref in refs:
            if ref in repository.references:
                found = repository.merge_base(head, repository.references[ref].resolve().target)
                if found is not None:
                    return str(found)
                break
        if left is not None and str(repository.merge_base(head, left)) == left:
            return left
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error
    return str(head)


def _sizes(path: Path, oids: Sequence[str]) -> dict[str, int]:
    import pygit2

    try:
        store = pygit2.Repository(_place(path)).odb
        return {oid: store.read_header(pygit2.Oid(hex=oid))[1] for oid in oids}
    # Older versions of pygit2 cannot read headers: AttributeError.
    except (pygit2.GitError, AttributeError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error


def _missing(path: Path, oids: Sequence[str]) -> set[str]:
    import pygit2

    try:
        store = pygit2.Repository(_place(path)).odb
        return {oid for oid in oids if pygit2.Oid(hex=oid) not in store}
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error


def _contents(path: Path, oids: Sequence[str]) -> dict[str, bytes]:
    import pygit2

    try:
        store = pygit2.Repository(_place(path)).odb
        return {oid: store.read(pygit2.Oid(hex=oid))[1] for oid in oids}
    except (pygit2.GitError, KeyError, ValueError, UnicodeError) as error:
        raise Refused from error
