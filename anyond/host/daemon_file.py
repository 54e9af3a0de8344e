"""The file `daemon.json`, by which clients find the daemon that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from anyond import __version__
from anyond.editing import files
from anyond.model.errors import Unavailable
from anyond.model.ids import now


class DaemonFile(msgspec.Struct, frozen=True, kw_only=True):
    """One running daemon; `started_at` as all timestamps.

    Args:
        vk_url: where vibe-kanban's clients find it, if they do.
    """

    url: str
    pid: int
    started_at: str
    version: str
    vk_url: str | None = None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the file of a running daemon; None if there is none, or it is not legible."""
        try:
            content = files.read(path)
            return None if content is None else msgspec.json.decode(content, type=cls)
        except (Unavailable, msgspec.DecodeError, UnicodeDecodeError):
            return None  # only ever a hint: a damaged one is as good as none


@contextmanager
def published(path: Path, url: str, vk_url: str | None = None) -> Iterator[DaemonFile]:
    """Say at `path`, while inside, that this process serves `url`.

    At the end the file is removed, unless another daemon has written its own meanwhile.

    Raises:
        Unavailable: the file cannot be written.
    """
    mine = DaemonFile(
        url=url, pid=os.getpid(), started_at=now(), version=__version__, vk_url=vk_url
    )
    files.write_object(path, msgspec.to_builtins(mine))
    try:
        yield mine
    finally:
        if DaemonFile.read(path) == mine:
            path.unlink(missing_ok=True)
