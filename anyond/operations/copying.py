"""Which files of the main checkout come along into a new worktree."""

from __future__ import annotations

import glob
import shutil
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


def copy(text: str | None, source: Path, target: Path) -> tuple[list[str], list[str]]:
    """Copy what `text` names from `source` into `target`; what is there already stays.

    Blocking: call it in a thread. Nothing outside `source` is read and nothing outside `target`
    is written, whatever symbolic links say.

    Returns:
        The copied files, relative; and one sentence for each pattern or file that was not copied.
    """
    copied: list[str] = []
    complaints: list[str] = []
    root = source.resolve()
    goal = target.resolve()
    for pattern in patterns(text):
        names = sorted(glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True))
        if not names:
            complaints.append(f"copy_files: nothing matches {pattern!r}.")
        for name in names:
            for file in _files(root / name):
                relative = file.relative_to(root)
                if ".git" in relative.parts:
                    continue
                try:
                    if not file.resolve().is_relative_to(root):
                        complaints.append(f"copy_files: {relative} leads out of the repository.")
                    elif _copy_one(file, goal / relative, goal):
                        copied.append(str(relative))
                except OSError as error:
                    complaints.append(f"copy_files: {relative}: {error.strerror}.")
    return copied, complaints


def _files(path: Path) -> list[Path]:
    if path.is_dir() and not path.is_symlink():
        return [f for f in sorted(path.rglob("*")) if f.is_file()]
    return [path]


def _copy_one(file: Path, target: Path, goal: Path) -> bool:
    if target.exists() or target.is_symlink():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(goal):
        raise OSError(0, "its directory leads out of the worktree")
    shutil.copy2(file, target)
    return True
