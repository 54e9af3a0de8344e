"""Addresses of sockets in deep directories, though the address of a socket must be short."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

SHORT = 100
"""Bytes that every system allows (Linux 108, macOS 104)."""


class Address:
    """Short names for the sockets below a directory; use it as a context manager.

    Args:
        root: the directory of the spools; it exists.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fd: int | None = None
        self._links: str | None = None

    def of(self, execution_id: str) -> str:
        """The address of the socket `s` in the spool of an execution."""
        plain = str(self._root / execution_id / "s")
        if len(os.fsencode(plain)) < SHORT:
            return plain
        if self._fd is None and self._links is None:
            self._open()
        if self._fd is not None:
            return f"/proc/self/fd/{self._fd}/{execution_id}/s"
        return f"{self._links}/r/{execution_id}/s"

    def _open(self) -> None:
        fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        if os.path.isdir(f"/proc/self/fd/{fd}/."):
            self._fd = fd
            return
        os.close(fd)
        # Not the place that TMPDIR names: on macOS that is itself too long.
        self._links = tempfile.mkdtemp(prefix="anyon", dir="/tmp")
        os.symlink(self._root.absolute(), f"{self._links}/r")

    def __enter__(self) -> Address:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
        if self._links is not None:
            shutil.rmtree(self._links, ignore_errors=True)
        self._fd = self._links = None
