"""Files of a worktree that its snapshot lacks, because git could not take them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.disk.scratch import scratch
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.repo.repository import git_dir
from anyond.model.refusals.requests import NotFound

SHUT = re.compile(r"^warning: could not open directory '(.+?)/?': ", re.MULTILINE)
"""How git says of a directory that it leaves it out."""


async def not_in_snapshot(worktree: Path, snapshot: str) -> list[str]:
    """Files that are neither ignored nor in a snapshot, those that may not be read, and directories
    that may not be opened, relative to `worktree`. Those of repositories inside are among them.

    Args:
        worktree: the top of a checkout.
        snapshot: the ref of a snapshot that has just been taken of it.

    Raises:
        NotFound: there is no checkout.
        GitFailed: git could not be asked.
    """
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    with scratch(own) as private:
        env = {"GIT_INDEX_FILE": os.fspath(private / "index")}
        await git("read-tree", f"{snapshot}^{{tree}}", cwd=worktree, env=env)
        ask = ("ls-files", "--others", "--exclude-standard", "-z")
        others = await git(*ask, cwd=worktree, env=env)
        stored = await git("ls-files", "--cached", "-z", cwd=worktree, env=env)
    found = await parsed(others.out, split)
    in_snapshot = await parsed(stored.out, split)
    shut = SHUT.findall(others.err)
    return await trio.to_thread.run_sync(_missing, worktree, found, in_snapshot, shut)


def _missing(
    top: Path, others: Sequence[str], stored: Sequence[str], shut: Sequence[str]
) -> list[str]:
    # The snapshot may have an earlier state of what may not be read now.
    found = [*shut, *(path for path in stored if _may_not_be_read(top / path))]
    for path in others:
        if path.endswith("/"):
            # A repository of which the snapshot has nothing at all.
            found += _files_of_repository(top, path)
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _files_of_repository(top: Path, inner: str) -> list[str]:
    found = []
    for directory, below, names in os.walk(top / inner):
        if ".git" in below:
            below.remove(".git")
        found += [os.path.relpath(os.path.join(directory, n), top) for n in names if n != ".git"]
    return found


def _may_not_be_read(file: Path) -> bool:
    if os.access(file, os.R_OK):
        return False
    try:
        return stat.S_ISREG(os.lstat(file).st_mode)
    except OSError:
        return False  # deleted, or in a directory that may not be opened
