"""Resolving a path to its real place, also when the way there may not be looked at.

`os.path.realpath` raises for a link that may not be read (`/proc/1/root`, another user's home), and
`Path.resolve` for one that leads to itself. A path that a person or an agent has chosen can be
either, and neither is a mistake of ours.
"""

from __future__ import annotations

import os
from pathlib import Path

from anyond.model.errors import Forbidden
from anyond.model.refusals.files import Unreadable


def real_path(path: str | os.PathLike[str], field: str = "path") -> Path:
    """`path` without links. Blocks on the disk.

    Args:
        field: the part of the request that it comes from, for the error.

    Raises:
        Forbidden: a link on the way cannot be followed; `unreadable`.
    """
    try:
        return Path(os.path.realpath(path))
    except (OSError, RuntimeError) as error:
        raise unreadable(path, error, field) from error


def nearest_real_path(path: str | os.PathLike[str]) -> Path:
    """`path` without links as far as they can be followed; to compare places, and never to decide
    that something lies inside of something. Blocks on the disk."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, RuntimeError):
        head, tail = os.path.split(os.path.abspath(path))
        return nearest_real_path(head) / tail if tail else Path(head)


def same_place(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> bool:
    """Return whether two paths are one place, by whatever links they lead there; what is not there
    is compared by name. Blocks on the disk."""
    try:
        return os.path.samestat(os.stat(a), os.stat(b))
    except (OSError, ValueError):
        return nearest_real_path(a) == nearest_real_path(b)


def leads_into(path: str | os.PathLike[str], directory: Path) -> bool:
    """Return whether `path` is in `directory`, which has no links, once all links are followed;
    what cannot be followed is not. Blocks on the disk.
    """
    try:
        return Path(os.path.realpath(path)).is_relative_to(directory)
    except (OSError, RuntimeError):
        return False


def unreadable(
    path: str | os.PathLike[str], error: BaseException, field: str = "path"
) -> Forbidden:
    """The refusal for a place that the system does not let us look at."""
    why = getattr(error, "strerror", None) or "a link on the way leads to itself"
    return Unreadable(path, why, field)
