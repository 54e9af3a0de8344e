"""Which files of the main checkout come along into a new worktree."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from anyond.model.errors import Invalid


def patterns(text: str | None) -> list[str]:
    """The paths and globs of a `copy_files` value: separated by commas or newlines.

    Raises:
        Invalid: one of them leaves the repository.
    """
    found = [p.strip() for p in (text or "").replace("\n", ",").split(",")]
    wanted = [p for p in found if p]
    for pattern in wanted:
        parts = Path(pattern).parts
        if "\x00" in pattern or Path(pattern).is_absolute() or ".." in parts or ".git" in parts:
            raise Invalid(
                "copy_files", f"{pattern!r} must be a path inside the repository, relative to it."
            )
    return wanted


def names(text: str | None, source: Path, *, without: Path | None = None) -> list[str]:
    """The files that `text` names in `source`, relative to it. Blocks on the disk.

    Args:
        without: a directory, perhaps in `source`, of which nothing comes along.
    """
    root = source.resolve()
    found = (file for pattern in patterns(text) for top in _matching(root, pattern)
             for file in _files(top, without))  # fmt: skip
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
            for file in _files(top, without):
                relative = file.relative_to(root)
                try:
                    if not file.resolve().is_relative_to(root):
                        complaints.append(f"copy_files: {relative} leads out of the repository.")
                    elif _copy_one(file, goal / relative, goal, top):
                        copied.append(str(relative))
                except OSError as error:
                    complaints.append(f"copy_files: {relative}: {error.strerror}.")
    return copied, complaints


def _matching(root: Path, pattern: str) -> list[Path]:
    """What a pattern names. `**` goes through no link: one that leads upwards would never end."""
    if not glob.has_magic(pattern):
        return [root / pattern] if os.path.lexists(root / pattern) else []
    parts = (part if part == "**" else re.sub(r"\*+", "*", part) for part in Path(pattern).parts)
    return sorted(root.glob("/".join(parts)))


def _files(top: Path, without: Path | None) -> Iterator[Path]:
    """The files and links at `top` or below it that are to come along."""
    kept_out = without.resolve() if without is not None else None
    found = [top]
    if top.is_dir() and not top.is_symlink():
        found = [f for f in sorted(top.rglob("*")) if f.is_file() or _is_own_link(f, top)]
    return (
        file
        for file in found
        if ".git" not in file.parts and (kept_out is None or not file.is_relative_to(kept_out))
    )


def _is_own_link(file: Path, top: Path) -> bool:
    """Whether it is a link from one place in the directory `top` to another."""
    try:
        return (
            file.is_symlink()
            and not os.path.isabs(os.readlink(file))
            and file.resolve().is_relative_to(top)
        )
    except (OSError, RuntimeError):
        return False  # one that leads to itself


def _copy_one(file: Path, target: Path, goal: Path, top: Path) -> bool:
    if target.exists() or target.is_symlink():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(goal):
        raise OSError(0, "its directory leads out of the worktree")
    if file != top and _is_own_link(file, top):
        # What it leads to comes along, and may look where it is.
        target.symlink_to(os.readlink(file))
    else:
        shutil.copy2(file, target)
    return True
