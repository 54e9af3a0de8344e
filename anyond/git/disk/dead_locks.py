"""Locks of a git of ours that was killed: taken away at once, since nobody else made them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import structlog
import trio

from anyond.git.disk import locks

log = structlog.get_logger()

OTHERS_S = 5.0
"""How long it is waited for every git that was there already when the lock was made."""

_SLACK_S = 1.0
"""File times are coarser than the clock."""


async def clear(common_dir: Path, since: float) -> None:
    """Remove the locks in a repository that were made since a git of ours began, and was killed.

    A lock stays if some git that may hold it does not end within `OTHERS_S`.

    Args:
        common_dir: what all checkouts of the repository share; their git directories lie in it.
        since: Unix seconds.
    """
    until = trio.current_time() + OTHERS_S
    while True:
        left = await trio.to_thread.run_sync(_clear, common_dir, since)
        if not left or trio.current_time() >= until:
            return
        await trio.sleep(0.1)


async def sweep_refs(common_dir: Path) -> None:
    """Remove the locks of references that nobody can be holding, whoever has left them."""
    for lock in await trio.to_thread.run_sync(lambda: list(_of_refs(common_dir))):
        await trio.to_thread.run_sync(locks.take_away, lock)


async def sweep_checkout(git_dir: Path) -> None:
    """Remove what nobody can be holding of the locks of one linked worktree.

    Args:
        git_dir: the worktree's own; of any other checkout nothing is removed.
    """
    for lock in await trio.to_thread.run_sync(lambda: list(_of_checkout(git_dir))):
        await trio.to_thread.run_sync(locks.take_away, lock)


def _clear(common_dir: Path, since: float) -> bool:
    """Returns whether something is left that may be removed later."""
    left = False
    for lock in _all(common_dir):
        try:
            made = lock.lstat().st_mtime
        except OSError:
            continue
        if made >= since - _SLACK_S and not locks.remove_unheld(lock):
            left = True
    return left


def _all(common_dir: Path) -> Iterator[Path]:
    yield from _of_refs(common_dir)
    for own in (common_dir, *_listed(common_dir / "worktrees")):
        yield from _of_checkout(own)


def _of_checkout(git_dir: Path) -> Iterator[Path]:
    yield from (path for path in _listed(git_dir) if path.suffix == ".lock")


def _of_refs(common_dir: Path) -> Iterator[Path]:
    for at, _, names in os.walk(common_dir / "refs"):
        yield from (Path(at, name) for name in names if name.endswith(".lock"))
    packed = common_dir / "packed-refs.lock"
    if os.path.lexists(packed):
        yield packed


def _listed(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []
