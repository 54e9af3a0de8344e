"""The layout of an export: the names in it, and the file that says that it is one.

docs/backup.md describes the same for people.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from anyond import __version__
from anyond.editing import files
from anyond.model.errors import Unavailable
from anyond.model.ids import now
from anyond.model.refusals.requests import Invalid

FORMAT = 1
MANIFEST = "export.json"
ROWS = "rows"
LOGS = "logs"
IMAGES = "images"
BRANCHES = "branches"
PATCHES = "patches"

LOG_FILES = ("log", "log.idx", "exit.json", "gap.json", "entries.jsonl")
"""The files of an execution that go along; how it was started is in none of them (keys)."""


class ExportedRepository(msgspec.Struct, frozen=True, kw_only=True):
    """The repository of a project.

    Args:
        head: the branch that its main checkout was on; None if on none.
        bundle: the file with its branches, relative to the export; None if it had none.
    """

    project_id: str
    head: str | None = None
    bundle: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One export.

    Args:
        format: of the directory; a higher one than `FORMAT` is not understood.
        version: of the Anyon that has made it.
        made_at: when its rows were read; None as long as not everything is there.
        tables: the rows of each table.
    """

    kind: Literal["anyon-export"] = "anyon-export"
    format: int = FORMAT
    version: str = __version__
    made_at: str | None = None
    tables: dict[str, int] = {}
    repositories: list[ExportedRepository] = []


def read(directory: Path) -> Manifest | None:
    """The manifest of an export; None if the directory is none.

    Raises:
        Invalid: a newer version has made it.
        Unavailable: it cannot be read.
    """
    content = files.read(directory / MANIFEST)
    if content is None:
        return None
    try:
        found = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if found.format > FORMAT:
        raise Invalid("path", f"{directory} was made by a newer Anyon ({found.version})")
    return found


def write(directory: Path, manifest: Manifest) -> None:
    """Write the manifest.

    Raises:
        Unavailable: the disk does not take it.
    """
    files.write_object(directory / MANIFEST, msgspec.to_builtins(manifest))


def complete(manifest: Manifest) -> Manifest:
    """The manifest of an export that has everything."""
    return msgspec.structs.replace(manifest, made_at=now())


def demand_own(directory: Path) -> None:
    """Be sure that a directory is an export, or empty, or not there.

    Raises:
        Invalid: something else is in it, or it is no directory.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise Invalid("path", f"{directory} is no directory")
    try:
        others = next(directory.iterdir(), None)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be read: {error.strerror}.") from error
    if others is not None and read(directory) is None:
        raise Invalid("path", f"{directory} is not empty, and no export of Anyon")
