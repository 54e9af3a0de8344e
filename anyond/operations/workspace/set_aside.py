"""Setting aside what git cannot store: it is moved into the data directory."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import structlog
import trio

from anyond.git.commits.outside_snapshot import not_in_snapshot
from anyond.git.program.text import as_utf8
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots import snapshots
from anyond.git.worktree import worktrees

log = structlog.get_logger()

_MOST_NAMED = 10


async def remove(
    repositories: Repositories, repository: Path, worktree: Path, attempt_id: str, aside: Path
) -> None:
    """Remove a worktree after a snapshot. What this could not take is moved to
    `<aside>/worktrees/<project>/<attempt>/<path>`, or stays where it is if that is not possible.

    Args:
        worktree: a checkout in the directory of its project.
        aside: see `AppPaths.set_aside`.

    Raises:
        GitFailed: no snapshot could be taken; then nothing is removed.
        Conflict, NotFound, ToolFailed: see `worktrees.remove`.
    """
    ref = await snapshots.take(repository, worktree, attempt_id, "delete")
    left: dict[str, str] = {}
    if paths := await not_in_snapshot(worktree, ref):
        place = aside / "worktrees" / worktree.parent.name / attempt_id
        place, left = await trio.to_thread.run_sync(_set_aside, worktree, paths, place)
        if moved := [path for path in paths if path not in left]:
            _log("set_aside", worktree, moved, now=str(place))
    await worktrees.remove(repositories, repository, worktree, left)
    if left:
        _log("not_set_aside", worktree, left, why=sorted(set(left.values())))


def _log(event: str, worktree: Path, paths: Iterable[str], **more: object) -> None:
    names = [as_utf8(path) for path in paths]
    some = names[:_MOST_NAMED]
    log.warning(event, kind="worktree", worktree=str(worktree), count=len(names), some=some, **more)


def _set_aside(top: Path, paths: Iterable[str], place: Path) -> tuple[Path, dict[str, str]]:
    """Move files aside; returns their new places, and those that could not be moved, each with the
    reason.
    """
    fresh, number = place, 1
    while os.path.lexists(fresh):
        fresh = place.with_name(f"{place.name}.{number}")
        number += 1
    left = {}
    for path in paths:
        source, target = top / path, fresh / path
        try:
            if source.parent.resolve() != top.resolve() / Path(path).parent:
                raise OSError(errno.ELOOP, "a link leads elsewhere")
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _move(source, target)
        except FileNotFoundError:
            continue  # somebody has deleted it
        except OSError as error:  # of a directory, shutil tells only a list
            left[path] = error.strerror or "not all of it can be copied"
    return fresh, left


def _move(source: Path, target: Path) -> None:
    try:
        try:
            os.rename(source, target)
        except PermissionError:
            # Its owner may do that after a change of the mode.
            _open_up(source.parent)
            _open_up(source)
            os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Onto another disk. The source goes with its worktree."""
    try:
        _open_up(source)
        if source.is_dir() and not source.is_symlink():
            for directory, below, names in os.walk(source):
                for name in (*below, *names):
                    _open_up(Path(directory, name))
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        with suppress(OSError):
            target.unlink()
        raise
    os.sync()


def _open_up(path: Path) -> None:
    with suppress(OSError):  # it belongs to somebody else
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            os.chmod(path, mode | stat.S_IRWXU)
        elif stat.S_ISREG(mode):
            os.chmod(path, mode | stat.S_IRUSR)
