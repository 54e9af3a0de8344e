"""Ignored files of a checkout that are worth saving: copied there, and changed since."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from anyond.git.disk import plain_files
from anyond.git.repo.repository import git_dir

_NAME = "anyon-copied"

LIMIT_BYTES = 64 * 1024 * 1024
"""So much of them is kept, the smallest first: there may be a directory of packages among them."""


def remember(worktree: Path, source: Path, files: Iterable[str]) -> None:
    """Note that `files` are, or will be, copies of those in `source`, times included.

    Blocks on the disk. What is no regular file there is left out.
    """
    own = git_dir(worktree)
    if own is None:
        return
    rows = []
    for file in files:
        found = _look(source / file)
        if found is not None and stat.S_ISREG(found.st_mode):
            rows.append(b"%d %d %s\0" % (found.st_size, found.st_mtime_ns, os.fsencode(file)))
    (own / _NAME).write_bytes(b"".join(rows))


def changed(worktree: Path, limit: int = LIMIT_BYTES) -> list[str]:
    """The copies that are not any more what they were, up to `limit` bytes. Blocks on the disk."""
    own = git_dir(worktree)
    try:
        text = plain_files.read(own / _NAME) if own is not None else b""
    except OSError:
        return []  # nothing was copied
    found: list[tuple[int, str]] = []
    for row in text.split(b"\0")[:-1]:
        size, moment, name = row.split(b" ", 2)
        now = _look(worktree / os.fsdecode(name))
        if now is None or not (stat.S_ISREG(now.st_mode) or stat.S_ISLNK(now.st_mode)):
            continue
        if (now.st_size, now.st_mtime_ns) != (int(size), int(moment)):
            found.append((now.st_size, os.fsdecode(name)))
    copies, total = [], 0
    for size_now, name_now in sorted(found):
        total += size_now
        if total > limit:
            break
        if os.path.islink(worktree / name_now) or os.access(worktree / name_now, os.R_OK):
            copies.append(name_now)
    return copies


def _look(file: Path) -> os.stat_result | None:
    try:
        return file.lstat()
    except OSError:
        return None  # it is not there, or may not be looked at
