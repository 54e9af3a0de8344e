"""The choice of who decides whether Claude Code may use a tool."""

from __future__ import annotations

from enum import Enum, auto


class Consent(Enum):
    """The one who decides whether a tool may be used."""

    ASK = auto()
    """The person, each time."""
    AFTER_PLAN = auto()
    """The person, until they have approved a plan."""
    ALWAYS = auto()
    """Nobody: the variant allows every tool."""
