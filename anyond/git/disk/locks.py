"""Locks of git that somebody else holds: recognizing them, waiting for them, and removing stale
ones.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import structlog
import trio
from msgspec import Struct, field

from anyond.git.disk.lock_holders import may_be_held

log = structlog.get_logger()

LOCK_TIMEOUT_S = 15.0
"""How long the holder of a lock has to finish before we give up."""

ABANDONED_S = 10.0
"""A lock that stands still for so long, while no git is alive that could have made it, is left over
from one that was killed."""

_REFUSAL = re.compile(
    r"^(?:fatal|error): (?:.*: )?Unable to create '(/.+\.lock)': File exists", re.MULTILINE
)
_CONFIG = re.compile(r"^error: could not lock config file (/.+): File exists", re.MULTILINE)


def lock_in(err: str) -> Path | None:
    """The lock of somebody else that a command was refused for, if that is what `err` says."""
    found = _REFUSAL.search(err)
    if found is not None:
        return Path(found[1])
    found = _CONFIG.search(err)
    return Path(f"{found[1]}.lock") if found is not None else None


class LockWait(Struct):
    """The time that one request has waited for the locks of others."""

    until: float = field(default_factory=lambda: trio.current_time() + LOCK_TIMEOUT_S)

    async def waited(self, err: str) -> bool:
        """Wait until the lock is gone for which a command was refused with the words `err`.

        Returns:
            Whether to try again; False if no lock was the reason, or after `LOCK_TIMEOUT_S` in all.
        """
        lock = lock_in(err)
        left = self.until - trio.current_time()
        if lock is None or left <= 0:
            return False
        await trio.sleep(0.01)  # it may go and come again at once
        return await gone(lock, left)


async def gone(lock: Path, seconds: float) -> bool:
    """Wait until nobody holds a lock any more; whether that came about within so many seconds."""
    until = trio.current_time() + seconds
    pause = 0.01
    while await trio.to_thread.run_sync(os.path.lexists, lock):
        if await trio.to_thread.run_sync(take_away, lock):
            return True
        if trio.current_time() >= until:
            return False
        await trio.sleep(pause)
        pause = min(pause * 2, 0.25)
    return True


def take_away(lock: Path) -> bool:
    """Remove a lock of a linked worktree, or of references, that nobody can be holding.

    Whatever is locked else (index, HEAD and settings of a checkout) belongs to the person whose
    repository it is, and stays: an editor may hold it. References are locked for moments only.

    Returns:
        Whether the lock is gone.
    """
    if lock.parent.parent.name != "worktrees" and not _is_of_refs(lock):
        return False
    try:
        if time.time() - lock.lstat().st_mtime < ABANDONED_S:
            return False
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return remove_unheld(lock)


def remove_unheld(lock: Path) -> bool:
    """Remove a lock unless a git is alive that could have made it; returns whether it is gone."""
    try:
        seen = lock.lstat()
        if may_be_held(lock, seen.st_mtime) or lock.lstat() != seen:
            return False
        lock.unlink()
    except FileNotFoundError:
        return True
    except OSError as error:
        log.warning("lock_stays", lock=str(lock), why=str(error))
        return False
    log.warning("abandoned_lock_removed", lock=str(lock))
    return True


def _is_of_refs(lock: Path) -> bool:
    if lock.name == "packed-refs.lock":
        return (lock.parent / "objects").is_dir()
    tops = (parent.parent for parent in lock.parents if parent.name == "refs")
    return any((top / "objects").is_dir() for top in tops)
