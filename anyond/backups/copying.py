"""Copying files that may grow or vanish meanwhile, and only those that have changed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from anyond.model.errors import Unavailable

Progress = Callable[[int, int], object]
"""Called with the bytes that are done, and all; it may raise `KeyboardInterrupt`."""

_NOT_COPIED = frozenset({"lock", "s", "k"})
"""Files of a spool that mean something only to a shim that lives."""
_CHUNK = 1 << 20

HALF = ".half"
"""The end of the name of a copy that is not complete."""


class Source(NamedTuple):
    """A file to be copied."""

    path: Path
    target: Path
    size: int


def tree(source: Path, target: Path) -> list[Source]:
    """The ordinary files below a directory, with the places of their copies.

    What an agent could have put in their place (links, pipes) is left out. Of a spool the index
    comes before the log: whatever it names is then in the copy of the log.
    """
    found = []
    for place, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names, key=lambda name: (name != "log.idx", name)):
            path = Path(place) / name
            with suppress(OSError):  # it is gone again
                state = os.lstat(path)
                left_out = name in _NOT_COPIED or name.endswith(HALF)
                if stat.S_ISREG(state.st_mode) and not left_out:
                    found.append(Source(path, target / path.relative_to(source), state.st_size))
    return found


def copy_all(sources: list[Source], progress: Progress) -> int:
    """Copy files that differ from their copies in size or time; returns the bytes written.

    Raises:
        Unavailable: the disk does not take them.
    """
    total = sum(source.size for source in sources)
    done = written = 0
    for source in sources:
        for chunk in copy(source.path, source.target):
            written += chunk
            progress(min(done + chunk, total), total)
        done += source.size
        progress(min(done, total), total)
    return written


def copy(source: Path, target: Path) -> Iterator[int]:
    """Copy one file, if it differs; yields the bytes of each piece. A source that is gone is none.

    The copy takes its place at once, or not at all.

    Raises:
        Unavailable: the disk does not take it.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return
        raise Unavailable(f"{source} cannot be read: {error.strerror}.") from error
    with os.fdopen(descriptor, "rb") as reader:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or _is_copy(target, state):
            return
        half = target.with_name(target.name + HALF)
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(half, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as writer:
                left = state.st_size  # what comes meanwhile is another copy's
                while left and (data := reader.read(min(_CHUNK, left))):
                    if data.count(0) == len(data):
                        # The part that was left out of a large log is a hole, and stays one.
                        writer.seek(len(data), os.SEEK_CUR)
                    else:
                        writer.write(data)
                    left -= len(data)
                    yield len(data)
                writer.truncate(state.st_size - left)
            os.utime(half, ns=(state.st_atime_ns, state.st_mtime_ns))
            os.replace(half, target)
        except OSError as error:
            raise Unavailable(f"{target} cannot be written: {error.strerror}.") from error


def _is_copy(target: Path, state: os.stat_result) -> bool:
    try:
        there = os.lstat(target)
    except OSError:
        return False
    return (there.st_size, there.st_mtime_ns) == (state.st_size, state.st_mtime_ns)


def remove(path: Path) -> None:
    """Remove a file or a directory with all that is in it.

    Raises:
        Unavailable: it cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(f"{path} cannot be removed: {error.strerror}.") from error
