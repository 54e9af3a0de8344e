"""Colours: few of them, each with a meaning."""

from __future__ import annotations

from enum import Enum


class Style(Enum):
    """A way to stand out, as an escape sequence."""

    BOLD = "1"
    DIM = "2"
    GOOD = "32"
    BAD = "31"
    BUSY = "36"
    ATTENTION = "1;33"
    NAME = "34"


class Painter:
    """Puts colours around texts, or does not."""

    def __init__(self, colored: bool) -> None:
        self.colored = colored

    def __call__(self, text: str, style: Style | None) -> str:
        """`text`, which is harmless already, in that style."""
        if not self.colored or style is None or not text:
            return text
        return f"\x1b[{style.value}m{text}\x1b[0m"


PLAIN = Painter(False)
