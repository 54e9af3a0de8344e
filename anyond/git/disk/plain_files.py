"""Small files of git's that others may have replaced: read without waiting, and written anew.

Whoever may write in a repository can put a named pipe in the place of any of its files. Opening
that waits for somebody at its other end, and the whole daemon would wait along. And what is written
into a file with two names changes the other one, too, which may be anybody's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def opened(path: Path) -> BinaryIO:
    """Open a regular file, or the one that a link leads to, for reading; nothing else.

    Raises:
        OSError: it is gone, may not be read, or is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return os.fdopen(descriptor, "rb")


def read(path: Path) -> bytes:
    """All of such a file.

    Raises:
        OSError: as for `opened`.
    """
    with opened(path) as file:
        return file.read()


def replace(path: Path, data: bytes) -> None:
    """Put a new file with `data` in the place of whatever file, link or pipe is at `path`.

    Raises:
        OSError: there is a directory, or no room.
    """
    fresh = path.with_name(f"{path.name}.anyon")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        file.write(data)
    fresh.replace(path)
