"""Repositories of a person on this machine, as far as a short look finds them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from anyond.files.directory import describe, refusal
from anyond.files.home import home
from anyond.model.http.answers import DirectoryEntry

DEPTH = 3
"""How many levels below a starting place are looked at."""
SECONDS = 3.0
DIRECTORIES = 20_000
"""How many directories are opened."""
ENTRIES = 2_000
"""How many entries of one directory are looked at."""
FOUND = 500

_USUAL = (
    "projects",
    "Projects",
    "code",
    "Code",
    "dev",
    "Developer",
    "src",
    "repos",
    "git",
    "work",
    "workspace",
    "Documents/GitHub",
)
_SKIPPED = frozenset(
    {
        "node_modules",
        "bower_components",
        "target",
        "build",
        "dist",
        "out",
        "vendor",
        "venv",
        "env",
        "__pycache__",
        "site-packages",
        "Pods",
        "DerivedData",
    }
)
# What belongs to the system or to other programs; on macOS a look into some of these makes the
# system ask the person for permission.
_SKIPPED_AT_HOME = frozenset(
    {"Library", "Applications", "Movies", "Music", "Pictures", "Public", "snap", "go", "AppData"}
)
if sys.platform == "darwin":
    _SKIPPED_AT_HOME |= {"Desktop", "Documents", "Downloads"}


def usual_directories() -> list[Path]:
    """Return the directories to look in by default: common ones first, then everywhere at home.

    For a person without a home that is the whole machine, as far as bounds allow.
    """
    own = home()
    return [Path("/")] if own is None else [*(own / name for name in _USUAL), own]


def find(
    starts: Sequence[Path],
    abandoned: threading.Event,
    *,
    depth: int = DEPTH,
    seconds: float = SECONDS,
) -> list[DirectoryEntry]:
    """Repositories with a working tree at or below `starts`, those used last first. Blocking.

    Levels are looked at one after another, so that what bounds leave out is what lies deepest.
    Links are not followed, nothing is sought inside a repository, and hidden directories and
    those of builds and packages are left out, as is all that cannot be read.

    Args:
        abandoned: when it is set, the work is given up, and its result means nothing.
        depth: how many levels below each start.
        seconds: after this time it tells what it has found so far.

    Raises:
        NotFound, Invalid, Forbidden: the only start does not exist, or is no readable directory.
    """
    end = time.monotonic() + seconds
    own = home()
    waiting = deque((start, 0) for start in starts)
    visited: set[tuple[int, int]] = set()
    found: list[DirectoryEntry] = []
    while waiting and len(visited) < DIRECTORIES and len(found) < FOUND:
        if time.monotonic() > end or abandoned.is_set():
            break
        path, level = waiting.popleft()
        try:
            state = os.stat(path)
            if (state.st_dev, state.st_ino) in visited:
                continue
            visited.add((state.st_dev, state.st_ino))
            git = path / ".git"
            # Nothing else is opened: a pipe would wait for whoever writes into it.
            if git.is_dir() or git.is_file():
                if not _is_linked_worktree(git):
                    found.append(_repository(path, git))
            else:
                below = _below(path, _SKIPPED_AT_HOME if path == own else frozenset())
                if level < depth:
                    waiting += ((inner, level + 1) for inner in below)
        except OSError as error:
            if len(starts) == 1 and level == 0:
                raise refusal(path, error) from error
            continue  # one directory that cannot be read is no reason not to tell the others
    return sorted(found, key=lambda entry: (-(entry.last_modified or 0), entry.path))


def _below(path: Path, skipped: frozenset[str]) -> list[Path]:
    inner: list[Path] = []
    with os.scandir(path) as entries:
        for number, entry in enumerate(entries):
            if number >= ENTRIES:
                break
            name = entry.name
            if name.startswith(".") or name in _SKIPPED or name in skipped:
                continue
            if entry.is_dir(follow_symlinks=False):
                inner.append(path / name)
    return sorted(inner)


def _is_linked_worktree(git: Path) -> bool:
    """Return whether this is one more checkout of a repository that lies elsewhere."""
    if git.is_dir():
        return False
    with git.open("rb") as file:
        return b"/worktrees/" in file.read(4096)


def _repository(path: Path, git: Path) -> DirectoryEntry:
    # Nearly every git command touches the directory .git, the tree itself may not change for long.
    entry = describe(path, is_directory=True)
    touched = os.stat(git).st_mtime_ns // 1_000_000
    return replace(entry, last_modified=max(entry.last_modified or 0, touched))
