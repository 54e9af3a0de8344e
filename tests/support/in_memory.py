"""The directories of tests in memory, where that can be: most of their waiting is for the disk."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

MEMORY = Path("/dev/shm")
LEAST_BYTES = 4 << 30
"""Containers often have 64 MB there, and what is in it is nobody else's memory any more."""

_ROOT = "PYTEST_DEBUG_TEMPROOT"


def keep_in_memory(environ: MutableMapping[str, str], memory: Path = MEMORY) -> None:
    """Have pytest, and its workers, make the directories of tests below `memory`.

    A person's own choice (`TMPDIR`, or that of pytest) counts for more. What is about a disk that
    fails or loses power mounts one of its own.
    """
    if _ROOT in environ or "TMPDIR" in environ:
        return
    with suppress(OSError):  # there is no such place
        found = os.statvfs(memory)
        free = found.f_bavail * found.f_frsize
        if free >= LEAST_BYTES and not found.f_flag & os.ST_NOEXEC and os.access(memory, os.W_OK):
            environ[_ROOT] = str(memory)
