"""The person's home directory, if the system knows it."""

from __future__ import annotations

from pathlib import Path


def home() -> Path | None:
    """The home directory; None for a user without one, as in a container that is run under a
    number that nobody has given a name, without HOME."""
    try:
        found = Path.home()
    except RuntimeError:
        return None
    return found if found.is_absolute() else None
