"""Random facts of this installation: an id that never leaves it, and a token to enter it."""

from __future__ import annotations

import secrets
from pathlib import Path

from anyond.editing import files
from anyond.model.ids import is_id, new_id


def user_id(path: Path) -> str:
    """The id kept in `path`; made at the first call, and again if the file holds something else.

    Raises:
        Unavailable: the file can neither be read nor written.
    """
    known = (files.read(path) or b"").decode("ascii", "replace").strip()
    if is_id(known):
        return known
    fresh = new_id()
    files.write(path, fresh.encode() + b"\n")
    return fresh


def token(path: Path) -> str:
    """The token kept in `path`, readable for its owner only; made at the first call.

    Raises:
        Unavailable: the file can neither be read nor written.
    """
    known = (files.read(path) or b"").decode("ascii", "replace").strip()
    if len(known) >= 32 and known.isprintable():
        return known
    fresh = secrets.token_urlsafe(32)
    files.write(path, fresh.encode() + b"\n")
    return fresh
