"""Files of a worktree that git cannot take into a commit, however often it is asked."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.commits.commit import stage_all
from anyond.git.commits.outside_snapshot import SHUT
from anyond.git.disk.scratch import scratch
from anyond.git.files.index_stat import copy_index
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import quoted_element, split
from anyond.git.repo.repository import common_dir, git_dir
from anyond.model.refusals.requests import NotFound

_LEFT = ("ls-files", "--others", "--modified", "--exclude-standard", "-z")


class Unstorable(NamedTuple):
    """A file, relative to its worktree, and what is the matter with it, as a clause."""

    path: str
    why: str


async def unstorable(worktree: Path, leave: Sequence[str]) -> list[Unstorable]:
    """The changed files that `git add` refuses, and directories into which it cannot look; neither
    index nor repository are changed.

    Args:
        worktree: the top of a checkout.
        leave: paths, relative to it, that are left out on purpose.

    Raises:
        NotFound: there is no checkout.
        GitFailed: git could not be asked.
    """
    changed, shut = await _left(worktree, leave, None)
    if not changed:
        return shut
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    with scratch(own) as private:
        objects = private / "objects"
        await trio.Path(objects).mkdir()
        index = private / "index"
        await trio.to_thread.run_sync(copy_index, own, index)
        env = {
            "GIT_INDEX_FILE": os.fspath(index),
            "GIT_OBJECT_DIRECTORY": os.fspath(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted_element(
                await common_dir(worktree) / "objects"
            ),
        }
        await stage_all(worktree, env=env, leave=leave)
        left, _ = await _left(worktree, leave, env)
    return await trio.to_thread.run_sync(lambda: [_why(worktree, path) for path in left]) + shut


async def _left(
    worktree: Path, leave: Sequence[str], env: dict[str, str] | None
) -> tuple[list[str], list[Unstorable]]:
    """The files that are changed and not added, and what could not be looked into."""
    result = await git(*_LEFT, cwd=worktree, env=env)
    apart = set(leave)
    # A repository inside ends with a slash; what is below one that is left out goes with it.
    files = [
        path
        for path in dict.fromkeys(await parsed(result.out, split))
        if not path.endswith("/") and path not in apart
    ]
    shut = dict.fromkeys(SHUT.findall(result.err))
    return files, [Unstorable(path, "is a directory that may not be opened") for path in shut]


def _why(worktree: Path, path: str) -> Unstorable:
    try:
        os.close(os.open(worktree / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
    except PermissionError:
        return Unstorable(path, "may not be read")
    except OSError as error:
        if error.errno != errno.ELOOP:  # a link, which git does not read either
            return Unstorable(path, f"cannot be read ({error.strerror})")
    return Unstorable(path, "has a name or contents that git refuses to store")
