"""Pipes and devices in the place of files that git reads: set aside before git waits for them.

Whoever may write in a worktree can put a named pipe at `.gitignore`, or at the index of its record.
Git opens it and waits for somebody at its other end; so does every later git. A reader that waits
already is let go. Sockets hold up nobody.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from anyond.git.program.text import as_utf8

_READ_EVERYWHERE = (".gitignore", ".gitattributes", ".gitmodules", ".mailmap")
_MOST_TEXTS = 10


def set_aside(worktree: Path, shared: Path) -> list[str]:
    """Rename those of a checkout and of its repository to `<name>.saved-<n>`. Blocks on the disk.

    Args:
        worktree: the top of a checkout, which need not be there.
        shared: what all checkouts of the repository share.

    Returns:
        What a person should know of it, in sentences.
    """
    texts = []
    for path in (*_of_repository(shared), *_of_checkout(worktree)):
        if not _holds_up(path):
            continue
        number = 1
        while os.path.lexists(saved := f"{path}.saved-{number}"):
            number += 1
        with suppress(OSError):  # gone by now
            os.rename(path, saved)  # first, so that nobody comes to wait any more
            _let_go(saved)
            if os.path.basename(path) == "HEAD" and path != os.path.join(shared, "HEAD"):
                # An empty one is taken for lost, and stands on its branch again.
                with open(path, "xb"):
                    pass
            texts.append(
                f"{as_utf8(path)} was a pipe or a device, for which git would wait for ever. It is "
                f"at {as_utf8(saved)} now."
            )
    more = len(texts) - _MOST_TEXTS
    return texts[:_MOST_TEXTS] + ([f"So are {more} others."] if more > 0 else [])


def _of_checkout(top: Path) -> Iterator[str]:
    # A hundred thousand files of packages may lie here: only what is called so is looked at.
    waiting = [os.fspath(top)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name in _READ_EVERYWHERE:
                        yield entry.path
                    elif entry.name != ".git" and entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue  # gone, or not to be read, which is no wait


def _of_repository(shared: Path) -> Iterator[str]:
    for directory, below, names in os.walk(shared):
        # Of objects there are too many, and git makes them anew; submodules have git of their own.
        apart = ("objects", "modules")
        below[:] = [name for name in below if directory != os.fspath(shared) or name not in apart]
        yield from (os.path.join(directory, name) for name in names)


def _holds_up(path: str) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    if stat.S_ISCHR(found.st_mode):
        return found.st_rdev != os.stat(os.devnull).st_rdev
    return stat.S_ISFIFO(found.st_mode) or stat.S_ISBLK(found.st_mode)


def _let_go(path: str) -> None:
    """Whoever waits for a writer gets one, and the end of the file."""
    if stat.S_ISFIFO(os.stat(path).st_mode):
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
