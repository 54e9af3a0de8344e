"""Findings: what a check has seen, in a sentence, with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """The weight of a finding: all well, worth a look, or in the way."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Fix(NamedTuple):
    """A step that can be undone.

    Args:
        act: takes it; blocks. Returns a sentence on what was done, and one on how to undo it.
    """

    act: Callable[[], tuple[str, str]]


class Finding(NamedTuple):
    """One thing that a check has seen.

    Args:
        check: the name of the check.
        sentence: what is, in one sentence.
        remedy: what a person can do, in one sentence; empty where there is nothing to do.
        fix: takes the remedy, if that can be undone.
    """

    check: str
    level: Level
    sentence: str
    remedy: str = ""
    fix: Fix | None = None


class Fixed(NamedTuple):
    """A step that was taken.

    Args:
        undo: how it is taken back.
    """

    check: str
    done: str
    undo: str


def ok(check: str, sentence: str) -> list[Finding]:
    """The findings of a check that has nothing to complain about."""
    return [Finding(check, Level.OK, sentence)]
