"""The file `backup.json`, by which a directory is known as a backup."""

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
NAME = "backup.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup.

    Args:
        format: of the directory; a higher one than `FORMAT` is not understood.
        version: of the Anyon that has made it.
        made_at: when its database was copied; None while the first backup has not got so far.
        data_dir: where the data were, for the person.
    """

    kind: Literal["anyon-backup"] = "anyon-backup"
    format: int = FORMAT
    version: str = __version__
    made_at: str | None = None
    data_dir: str = ""


def read(directory: Path) -> Manifest | None:
    """The manifest of a backup; None if the directory is none, or not ours.

    Raises:
        Invalid: a newer version has made it.
        Unavailable: it cannot be read.
    """
    content = files.read(directory / NAME)
    if content is None:
        return None
    try:
        found = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if found.format > FORMAT:
        raise Invalid("path", f"{directory} was made by a newer Anyon ({found.version})")
    return found


def write(directory: Path, data_dir: Path, *, complete: bool) -> Manifest:
    """Write the manifest; before the database is there it is not `complete`.

    Raises:
        Unavailable: the disk does not take it.
    """
    made = Manifest(made_at=now() if complete else None, data_dir=str(data_dir))
    files.write_object(directory / NAME, msgspec.to_builtins(made))
    return made


def demand_own(directory: Path) -> Manifest | None:
    """Be sure that a directory is a backup, or empty, or not there; its manifest, if it has one.

    Raises:
        Invalid: something else is in it, or it is no directory.
    """
    if not directory.exists():
        return None
    if not directory.is_dir():
        raise Invalid("path", f"{directory} is no directory")
    try:
        found = read(directory)
        others = next(directory.iterdir(), None)
    except OSError as error:
        raise Unavailable(f"{directory} cannot be read: {error.strerror}.") from error
    if found is None and others is not None:
        raise Invalid("path", f"{directory} is not empty, and no backup of Anyon")
    return found
