"""Texts of programs that can be handed on to other programs, such as git and GitHub."""

from __future__ import annotations

import re

# All control characters but tab and line end, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` with U+FFFD in place of what no program would take as text; a CRLF is a line end."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))
