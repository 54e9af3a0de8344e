"""Texts of agents, branches and files, made harmless for a terminal.

An escape sequence can clear the screen, forge what was printed before, or type into the shell
of some terminals; a right-to-left override shows another name than there is.
"""

from __future__ import annotations

import re

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BLANK = re.compile(r"\s+")


def harmless(text: str) -> str:
    """`text` with a picture in place of each character that would act; lines stay lines."""
    return _HARMFUL.sub(_picture, text.replace("\r\n", "\n"))


def in_one_line(text: str) -> str:
    """The same, with a space in place of whatever separates words."""
    return part_of_line(text.strip())


def part_of_line(text: str) -> str:
    """A piece of a line; the spaces at its ends part it from its neighbours."""
    return harmless(_BLANK.sub(" ", text))


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
