"""Files that `anyon service install` has written, told from those of anybody else by a marker."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import msgspec

from anyond.editing import files
from anyond.model.errors import Unavailable

_MARKER = re.compile(
    r"^(?:#|<!--) Written by `anyon service install`, sha256:(?P<digest>[0-9a-f]{64})"
    r" (?P<recipe>\{.*\})(?: -->)?$",
    re.MULTILINE,
)


class Authorship(Enum):
    """The origin of a file at a place where one of ours belongs."""

    ABSENT = "absent"
    OURS = "ours"
    EDITED = "edited"
    FOREIGN = "foreign"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The wishes that a service was installed with, to be repeated when it is refreshed.

    Args:
        arguments: those of `anyon serve`.
        socket: whether the port is opened by the service manager.
    """

    arguments: tuple[str, ...] = ()
    socket: bool = False


class Examined(NamedTuple):
    """A place, whose file that is, and what it was installed with, if it is ours."""

    path: Path
    authorship: Authorship
    recipe: Recipe | None = None


def marked(text: str, recipe: Recipe, *, xml: bool = False) -> str:
    """Return `text` with the marker: as its first line, in XML as its second."""
    encoded = msgspec.json.encode(recipe).decode()
    words = f"Written by `anyon service install`, sha256:{_digest(text, encoded)} "
    if not xml:
        return f"# {words}{encoded}\n{text}"
    # Two hyphens would end a comment of XML early; in JSON they can be written in another way.
    encoded = encoded.replace("-", "\\u002d")
    head, _, rest = text.partition("\n")
    return f"{head}\n<!-- {words}{encoded} -->\n{rest}"


def examine(path: Path) -> Examined:
    """Look whose file is at `path`.

    One that is not an ordinary file, or too large, or not legible, is somebody else's.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return Examined(path, Authorship.FOREIGN)
        text = (files.read(path) or b"").decode()
    except FileNotFoundError:
        return Examined(path, Authorship.ABSENT)
    except (OSError, Unavailable, UnicodeDecodeError):
        return Examined(path, Authorship.FOREIGN)
    found = _MARKER.search(text)
    if found is None:
        return Examined(path, Authorship.FOREIGN)
    try:
        recipe = msgspec.json.decode(found["recipe"], type=Recipe)
    except msgspec.DecodeError:
        return Examined(path, Authorship.EDITED)
    rest = text[: found.start()] + text[found.end() + 1 :]
    encoded = msgspec.json.encode(recipe).decode()
    same = _digest(rest, encoded) == found["digest"]
    return Examined(path, Authorship.OURS if same else Authorship.EDITED, recipe)


def put_aside(path: Path) -> Path:
    """Give the file at `path` a name that no service manager reads; returns it. Blocking.

    Raises:
        Unavailable: it cannot be renamed.
    """
    number = 1
    while (other := path.with_name(f"{path.name}.edited-{number}")).exists():
        number += 1
    try:
        path.rename(other)
    except OSError as error:
        raise Unavailable(f"{path} cannot be renamed: {error.strerror}.") from error
    return other


def _digest(text: str, recipe: str) -> str:
    return hashlib.sha256(f"{recipe}\n{text}".encode()).hexdigest()
