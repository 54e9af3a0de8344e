"""Temporary directories of git operations, and their cleanup after a crash."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyond.model.errors import SHORTAGES, AnyondError, Unavailable
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import NotFound

_NAME = "anyon"


@contextmanager
def scratch(own: Path) -> Iterator[Path]:
    """A fresh directory beside the index of a checkout, for as long as the block lasts.

    There it is on the same disk as the worktree and private to it, it goes with the worktree, and
    `sweep` finds it after a crash.

    Args:
        own: the git directory of the checkout.

    Raises:
        NotFound: the checkout is just going away.
        ToolFailed: nothing can be written there, or the block could not read or write a file.
        Unavailable: the same, for want of room or of descriptors.
    """
    parent = own / _NAME
    try:
        parent.mkdir(exist_ok=True)
        private = tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True)
    except FileNotFoundError:
        raise NotFound("git directory", own) from None
    except OSError as error:
        raise _failure(error, f"{parent} cannot be written to: {error.strerror}.") from error
    with private as name:
        try:
            yield Path(name)
        except OSError as error:
            why = f"{error.filename2 or error.filename or parent}: {error.strerror}."
            raise _failure(error, f"A file could not be put aside. {why}") from error


def _failure(error: OSError, text: str) -> AnyondError:
    return Unavailable(text) if error.errno in SHORTAGES else ToolFailed("git", text)


def sweep(own: Path, before: float) -> int:
    """Delete what was left in the git directory `own` of a checkout by a process that was killed.

    Args:
        before: Unix seconds; what was begun later is somebody's who lives.

    Returns:
        How many directories went.
    """
    try:
        found = list((own / _NAME).iterdir())
    except OSError:
        # Nothing was ever put there, or the worktree is just going.
        return 0
    old = [directory for directory in found if _changed(directory) < before]
    for directory in old:
        shutil.rmtree(directory, ignore_errors=True)
    return len(old)


def _changed(directory: Path) -> float:
    try:
        return directory.lstat().st_mtime
    except OSError:
        return float("inf")  # it has gone in between
