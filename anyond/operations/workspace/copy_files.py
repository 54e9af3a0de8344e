"""Copying files of the main checkout into a new worktree."""

from __future__ import annotations

import glob
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from anyond.model.refusals.requests import Invalid
from anyond.real_path import leads_into


def patterns(text: str | None) -> list[str]:
    """The paths and globs of a `copy_files` value: separated by commas or newlines.

    Raises:
        Invalid: one of them leaves the repository.
    """
    found = [p.strip() for p in (text or "").replace("\n", ",").split(",")]
    patterns = [p for p in found if p]
    for pattern in patterns:
        parts = Path(pattern).parts
        outside = Path(pattern).is_absolute() or ".." in parts
        if "\x00" in pattern or outside or _is_gits(parts):
            raise Invalid(
                "copy_files", f"{pattern!r} must be a path inside the repository, relative to it."
            )
    return patterns


def names(text: str | None, source: Path, *, without: Path | None = None) -> list[str]:
    """The files that `text` names in `source`, relative to it. Blocks on the disk.

    Args:
        without: a directory, perhaps in `source`, of which nothing comes along.
    """
    root = source.resolve()
    found = (file for pattern in patterns(text) for top in _matching(root, pattern)
             for file in _files(root, top, without))  # fmt: skip
    return list(dict.fromkeys(str(file.relative_to(root)) for file in found))


def copy(
    text: str | None, source: Path, target: Path, *, without: Path | None = None
) -> tuple[list[str], list[str]]:
    """Copy what `text` names from `source` into `target`; what is there already stays.

    Blocking: call it in a thread. Nothing outside `source` is read and nothing outside `target`
    is written, whatever symbolic links say. See `names` for `without`.

    Returns:
        The copied files, relative; and one sentence for each pattern or file that was not copied.
    """
    copied: list[str] = []
    complaints: list[str] = []
    root = source.resolve()
    goal = target.resolve()
    for pattern in patterns(text):
        tops = _matching(root, pattern)
        if not tops:
            complaints.append(f"copy_files: nothing matches {pattern!r}.")
        for top in tops:
            for file in _files(root, top, without):
                relative = file.relative_to(root)
                try:
                    if _copy_one(file, root, goal, top):
                        copied.append(str(relative))
                except OSError as error:
                    complaints.append(f"copy_files: {relative}: {error.strerror or error}.")
    return copied, complaints


def _matching(root: Path, pattern: str) -> list[Path]:
    """Yield the matches of a pattern. `**` goes through no link: one that leads upwards would never
    end.
    """
    if not glob.has_magic(pattern):
        return [root / pattern] if os.path.lexists(root / pattern) else []
    parts = (part if part == "**" else re.sub(r"\*+", "*", part) for part in Path(pattern).parts)
    return sorted(root.glob("/".join(parts)))


def _files(root: Path, top: Path, without: Path | None) -> Iterator[Path]:
    """The files and links at `top` or below it that are to come along."""
    excluded = without.resolve() if without is not None else None
    found = [top]
    if os.path.isdir(top) and not top.is_symlink():
        found = [f for f in sorted(top.rglob("*")) if os.path.isfile(f) or _is_own_link(f, top)]
    return (
        file
        for file in found
        if not _is_gits(file.relative_to(root).parts)
        and (excluded is None or not file.is_relative_to(excluded))
    )


def _is_gits(parts: Iterable[str]) -> bool:
    """Return whether a path belongs to git, also where the file system does not mind capitals."""
    return any(part.lower() == ".git" for part in parts)


def _is_own_link(file: Path, top: Path) -> bool:
    """Return whether it is a link from one place in the directory `top` to another."""
    try:
        if not file.is_symlink() or os.path.isabs(os.readlink(file)):
            return False
    except OSError:
        return False  # it may not be looked at
    return leads_into(file, top)


def _copy_one(file: Path, root: Path, goal: Path, top: Path) -> bool:
    """Copy `file`, which is below `root`, to the same place below `goal`, unless that is taken.

    Raises:
        OSError: it could not be copied, or must not be.
    """
    relative = file.relative_to(root)
    target = goal / relative
    real = Path(os.path.realpath(file))
    if not real.is_relative_to(root):
        raise OSError("leads out of the repository")
    if _is_gits(real.relative_to(root).parts):
        raise OSError("leads into what belongs to git")
    _make_directories(goal, relative.parent)
    if os.path.lexists(target):
        return False
    if file != top and _is_own_link(file, top):
        # What it leads to comes along, and may look where it is.
        target.symlink_to(os.readlink(file))
        return True
    if not stat.S_ISREG(os.stat(file).st_mode):
        raise OSError("is not a file")  # a pipe or a device would be read for ever
    shutil.copy2(file, target)
    return True


def _make_directories(goal: Path, relative: Path) -> None:
    """Make the directory `relative` in `goal`, going through no link that leads out of it."""
    place = goal
    for part in relative.parts:
        place /= part
        if not os.path.lexists(place):
            place.mkdir()
        elif not leads_into(place, goal):
            raise OSError("its directory leads out of the worktree")
