"""Detecting a disk that tells names apart by their case, whatever git was told.

`core.ignorecase` is set once, when a repository is made, and goes along when it is copied from
another machine. On a disk where `a` and `A` are two files, git then sees only one of them, and
adds none of either.
"""

from __future__ import annotations

import os
from pathlib import Path

from anyond.git.disk.locations import Location

_COUNTS = ("-c", "core.ignorecase=false")


def options(place: Location | None) -> tuple[str, ...]:
    """The options of git for a checkout: none where that is not known, or case does not count."""
    if place is None or place.work_tree is None or not _counts(place.work_tree):
        return ()
    return _COUNTS


def _counts(top: Path) -> bool:
    try:
        found = os.lstat(top / ".git")
    except OSError:
        return False  # there is no checkout
    try:
        other = os.lstat(top / ".gIT")
    except OSError:
        return True
    return not os.path.samestat(found, other)
