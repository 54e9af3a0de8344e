"""The versions of control socket and spool; README.md describes each of them.

Part of the shim: the standard library only.
"""

from __future__ import annotations

PROTOCOL = 3
"""What this version speaks, and what its daemon asks a shim for."""

SUPPORTED = (PROTOCOL - 1, PROTOCOL)
"""What it understands, too: of the version before, which may still run or be running us."""

UNNAMED = 2
"""What a shim speaks that does not say it: up to 2 it was not part of the greeting."""


def refusal(number: int) -> str | None:
    """The reason why a side of this version cannot deal with one that speaks `number`; None if it
    can.
    """
    if number in SUPPORTED:
        return None
    return (
        f"it speaks protocol {number}, and this version of Anyon {SUPPORTED[0]} and {SUPPORTED[1]}"
    )
