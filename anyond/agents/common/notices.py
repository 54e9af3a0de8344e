"""Notices: what a program tells of itself, in its own words, each shown once in an attempt.

A line of a later version of a program is one, too: its words are shown, never its JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NOTICES_MOST = 100
"""So many notices are remembered of an attempt."""

NOTICE_MOST = 1000
"""Characters of a notice that are compared."""

_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_VARYING = re.compile(
    rf"[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f-]{{22}}|{_NUMBERS.pattern}", re.IGNORECASE
)

WORDS_MOST = 4096
"""Characters of a notice that are shown."""

_FIELDS = ("content", "message", "text", "title", "summary")
"""The fields in which programs put words for people, the most telling first."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def without_escapes(text: str) -> str:
    """Return `text` without the escape sequences of terminals."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def words_of(line: Mapping[str, object]) -> str:
    """Return the words for people in a line of a kind that nobody here knows; "" without any.

    Args:
        line: its fields; their values may be of any type.
    """
    found = (line.get(field) for field in _FIELDS)
    words = (without_escapes(value).strip() for value in found if isinstance(value, str))
    return next((word for word in words if word), "")[:WORDS_MOST]


def notice_key(text: str) -> str:
    """The same for all notices that differ in nothing but numbers and ids."""
    text = text.strip()[:NOTICE_MOST]
    # Few lines have an id, and to look for one at each letter takes ten times as long.
    return (_VARYING if text.count("-") > 1 else _NUMBERS).sub("#", text)


class NoticesOnce:
    """The notices of a program, each shown once in an attempt.

    Args:
        known: the keys of what earlier runs have shown.
    """

    def __init__(self, known: tuple[str, ...]) -> None:
        self._known = set(known)
        self._displayed: list[str] = []

    @property
    def displayed(self) -> tuple[str, ...]:
        """The keys of what this run has shown, in order."""
        return tuple(self._displayed)

    def knows(self, text: str) -> bool:
        """Return whether a notice was shown before."""
        return notice_key(text) in self._known

    def is_new(self, text: str) -> bool:
        """Return whether a notice is to be shown: it has words, and was not shown before."""
        key = notice_key(text)
        if not key or key in self._known:
            return False
        self._known.add(key)
        if len(self._displayed) < NOTICES_MOST:
            self._displayed.append(key)
        return True
