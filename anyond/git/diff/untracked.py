"""Files that git does not know yet, counted as git would count them."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from anyond.git.diff.entry import ABSENT, LINK, SUBMODULE, Entry
from anyond.git.files import blobs

# As git: beyond this nobody counts lines any more.
BIG_FILE = 512 << 20
SNIFFED = 8000


def look(worktree: Path, paths: Sequence[str]) -> list[Entry]:
    """The entries of untracked files that are still there. Blocks on the disk."""
    found = (_untracked(worktree, path) for path in paths)
    return [entry for entry in found if entry is not None]


def is_text(data: bytes) -> bool:
    """Return whether git takes the content of a file for text."""
    return b"\0" not in data[:SNIFFED]


def _untracked(worktree: Path, path: str) -> Entry | None:
    """The entry of an untracked file, as git would count it; None if it is gone by now."""
    file = worktree / path
    new = Entry(
        change="added",
        old_path=None,
        new_path=path.rstrip("/"),
        old_oid=None,
        old_mode=ABSENT,
        new_mode=SUBMODULE,
        binary=True,
    )
    if path.endswith("/"):
        # A repository of its own inside this one; git does not look into it either.
        return new
    try:
        kind = file.lstat()
        if stat.S_ISLNK(kind.st_mode):
            return replace(new, new_mode=LINK, binary=False, additions=1)
        mode = 0o100755 if kind.st_mode & stat.S_IXUSR else 0o100644
        number = _count(file) if kind.st_size <= BIG_FILE else None
    except FileNotFoundError:
        return None
    except OSError:
        # It exists, and may not be read: that much can be told.
        return replace(new, new_mode=0o100644)
    return replace(new, new_mode=mode, binary=number is None, additions=number or 0)


def _count(file: Path) -> int | None:
    """The number of lines, or None if the file is binary."""
    with blobs.open_file(file) as data:
        chunk = data.read(1 << 20)
        if not is_text(chunk):
            return None
        number, last = 0, b"\n"
        while chunk:
            number += chunk.count(b"\n")
            last = chunk[-1:]
            chunk = data.read(1 << 20)
    return number + (last != b"\n")


def lines(data: bytes) -> int:
    """The number of lines of a text."""
    return data.count(b"\n") + (data[-1:] not in (b"", b"\n"))
