"""The built files of the board, read once, when somebody first asks for one."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import trio

FOLDER = Path(__file__).parent / "site"
INDEX = "index.html"
ASSETS = "assets"
_PLACE = b"./assets/"
"""The place of assets as the build writes it into the page."""


class SiteFile(NamedTuple):
    """A file as it is sent, with what identifies its content, without quotes."""

    body: bytes
    etag: str


class Site(NamedTuple):
    """All files of the board by their paths.

    Args:
        version: of all assets together; it is in their addresses, so that one that is cached is
            never another's. A page that was open while the daemon was replaced gets no file of
            the new one among its own.
    """

    files: Mapping[str, SiteFile]
    version: str


class SiteFiles:
    """The files, read in a thread by whoever comes first."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._read: Site | None = None
        self._reading = trio.Lock()

    async def get(self) -> Site:
        """The files. Raises `OSError` if they cannot be read."""
        async with self._reading:
            if self._read is None:
                self._read = await trio.to_thread.run_sync(_read, self._folder)
        return self._read


def _read(folder: Path) -> Site:
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    together = blake2b(digest_size=8)
    for name, body in found.items():
        together.update(b"%s\0%d\0%s" % (name.encode(), len(body), body))
    version = together.hexdigest()
    found[INDEX] = found[INDEX].replace(_PLACE, f"./{ASSETS}/{version}/".encode())
    files = {
        name: SiteFile(body, blake2b(body, digest_size=16).hexdigest())
        for name, body in found.items()
    }
    return Site(files, version)
