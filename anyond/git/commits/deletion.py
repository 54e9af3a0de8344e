"""Deleting one file from a worktree, and committing the deletion alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

import trio

from anyond.git.commits.commit import DURABLE, UTF_8, refuse_unmerged
from anyond.git.diff.status import in_progress
from anyond.git.disk import survivors
from anyond.git.disk.scratch import scratch
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.git.repo.checkouts import head
from anyond.git.repo.repository import git_dir, identity
from anyond.model.errors import AnyondError
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import IgnoredFile, operation_in_progress
from anyond.real_path import real_path

LITERALLY = {"GIT_LITERAL_PATHSPECS": "1"}

_ONLY = "--only"


def contained(worktree: Path, text: str, field: str = "file_path") -> str:
    """`text` as a path in the worktree, relative to it.

    Only the last part may be a symbolic link that leads elsewhere.

    Raises:
        Invalid: it leads out of the worktree, or into a `.git`.
        Forbidden: a link on its way may not be followed.
    """
    path = PurePosixPath(text)
    if not path.parts or "\0" in text or path.is_absolute() or ".." in path.parts:
        raise Invalid(field, f"{as_utf8(text)!r} must be a path inside the worktree.")
    root = os.fspath(real_path(worktree, field))
    if any(part.lower() == ".git" for part in path.parts) or _is_gits(Path(root), path):
        raise Invalid(field, f"{as_utf8(text)!r} belongs to git.")
    parent = real_path(os.path.join(root, *path.parts[:-1]), field)
    if not parent.is_relative_to(root):
        raise Invalid(field, f"{as_utf8(text)!r} leads out of the worktree.")
    return str(path)


async def check(worktree: Path, path: str) -> bool:
    """Check that the file `path` could be deleted; nothing is changed.

    Args:
        path: as `contained` has answered it.

    Returns:
        Whether its deletion is something to commit.

    Raises:
        NotFound: there is no such file, neither on the disk nor in git.
        Invalid: it is a directory.
        Conflict: `rebase_in_progress` and so on, or `dirty` after a squash or a stash that did not
            fit: git commits nothing then. `ignored_file`, of which no copy could be kept.
    """
    if git_dir(worktree) is None:
        raise NotFound("worktree", worktree)
    going_on = await in_progress(worktree)
    if going_on is not None:
        raise operation_in_progress(going_on.op, worktree)
    await refuse_unmerged(worktree)
    if _is_directory(worktree / path):
        raise Invalid("file_path", f"{as_utf8(path)} is a directory.")
    if await _is_listed(worktree, "ls-tree", "HEAD", "--", path):
        return True
    if await _is_listed(worktree, "ls-files", "--cached", "--", path):
        return False
    if not _is_there(worktree / path):
        raise NotFound("file", as_utf8(path))
    ignored = await git("check-ignore", "--quiet", "--", path, cwd=worktree, check=False)
    if ignored.code == 0:
        raise IgnoredFile(as_utf8(path))
    return False


async def delete_file(worktree: Path, path: str, *, message: str) -> str | None:
    """Delete a file that `check` has passed. Other changes, staged or not, stay as they are.

    Args:
        path: as `contained` has answered it.
        message: of the commit.

    Returns:
        The new commit, or None if git had not known the file at the last commit.

    Raises:
        NotFound, Invalid, Conflict: see `check`.
        GitFailed, Locked: refused; the file is there again.
    """
    committing = await check(worktree, path)
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    before = await head(worktree)
    who = {**await identity(worktree), **LITERALLY}
    ask = (*DURABLE, *UTF_8, "commit", "--quiet", _ONLY, "--cleanup=whitespace", "--file=-")
    data = message.encode("utf-8", "surrogateescape") + b"\n"
    with scratch(own) as private:
        aside = private / "file"
        _move(worktree / path, aside)
        try:
            if not committing:
                await git("update-index", "--force-remove", "--", path, cwd=worktree)
                return None
            await git(
                *ask, "--", path, cwd=worktree, env=who, input=data, timeout=1800, lasting=True
            )
        except BaseException as error:
            with trio.CancelScope(shield=True):
                # A commit that was made although its maker was stopped stays made.
                if committing:
                    done = await head(worktree) != before
                else:
                    done = not await _is_listed(worktree, "ls-files", "--cached", "--", path)
                if done and isinstance(error, AnyondError):
                    await _forget(worktree, path)
                elif not done or not committing:
                    _move(aside, worktree / path)
            if not done or not isinstance(error, AnyondError):
                raise
    return await head(worktree)


async def settle(worktree: Path, path: str, *, before: str, snapshot: str | None) -> None:
    """Undo a deletion that a kill has cut short: the file is there again, unless it is committed.

    A git that outlived its daemon is given time to finish, and ended then.

    Args:
        path: as `contained` has answered it.
        before: the commit that was checked out before; "" if there was none.
        snapshot: the ref of the state before.
    """
    await survivors.end((_ONLY, path), worktree)
    if snapshot is None or _is_there(worktree / path):
        return
    if (await head(worktree) or "") != before:
        await _forget(worktree, path)
        return  # it is committed, or somebody has gone on since
    if not await _is_listed(worktree, "ls-tree", snapshot, "--", path):
        return
    ask = ("restore", "--quiet", "--worktree", f"--source={snapshot}", "--", path)
    await git(*ask, cwd=worktree, env=LITERALLY)


async def _forget(worktree: Path, path: str) -> None:
    """Let the index have no file `path` any more, if neither the last commit nor the disk has one.

    Git makes the commit first; killed after that, it leaves an index that still has the file.
    """
    if _is_there(worktree / path) or await _is_listed(worktree, "ls-tree", "HEAD", "--", path):
        return
    await git("update-index", "--force-remove", "--", path, cwd=worktree)


def _is_gits(root: Path, path: PurePosixPath) -> bool:
    """Return whether the file system takes the beginning of `path` for `.git`, however it is
    spelled.
    """
    try:
        return (root / path.parts[0]).samefile(root / ".git")
    except OSError:
        # One of the two is not there, so they are not the same.
        return False


def _is_directory(file: Path) -> bool:
    # Unlike those of Path, these do not raise for names that no file can have.
    return os.path.isdir(file) and not os.path.islink(file)


def _is_there(file: Path) -> bool:
    return os.path.lexists(file)


async def _is_listed(worktree: Path, *ask: str) -> bool:
    verb, *rest = ask
    found = await git(verb, "-z", *rest, cwd=worktree, env=LITERALLY, check=False)
    return found.code == 0 and bool(found.out)


def _move(file: Path, to: Path) -> None:
    """Move a file or link, if it is there, and nothing has come to be where it goes."""
    if not _is_there(file) or _is_there(to):
        return
    try:
        shutil.move(file, to)
    except OSError as error:
        raise ToolFailed("git", f"{file} cannot be deleted: {error.strerror}.") from error
