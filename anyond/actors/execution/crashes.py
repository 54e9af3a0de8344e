"""The limit of crashes of what follows an execution, and the pauses between retries."""

from __future__ import annotations

import traceback
from collections import Counter

from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import NotFound

SAME = 5
"""So many crashes of the same kind are no bad luck any more."""

ALL = 20
"""And so many of any kind."""

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
"""The exponential backoff before the retry after a crash."""


class Crashes:
    """The crashes of one execution, counted by what was raised where."""

    def __init__(self) -> None:
        self._kinds: Counter[tuple[str, str, int]] = Counter()

    def count(self, crash: Exception) -> bool:
        """Return whether it may be tried once more after this one."""
        kind = _kind(_cause(crash))
        self._kinds[kind] += 1
        return self._kinds[kind] < SAME and self._kinds.total() < ALL

    @property
    def first(self) -> bool:
        """True if there was only one so far."""
        return self._kinds.total() == 1

    @property
    def pause_s(self) -> float:
        """Seconds until it is to be tried again."""
        return float(min(FIRST_BACKOFF_S * 2 ** (self._kinds.total() - 1), LONGEST_BACKOFF_S))


def passes(crash: Exception) -> bool:
    """Return whether nothing is wrong with the execution: a full disk, or a row that is gone."""
    if isinstance(crash, ExceptionGroup):
        return all(passes(member) for member in crash.exceptions)
    return isinstance(crash, Unavailable | NotFound)


def sentence(crash: Exception) -> str:
    """Return the sentence on a crash for a person."""
    cause = _cause(crash)
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def _cause(crash: Exception) -> Exception:
    while isinstance(crash, ExceptionGroup):
        crash = next((e for e in crash.exceptions if not passes(e)), crash.exceptions[0])
    return crash


def _kind(crash: Exception) -> tuple[str, str, int]:
    frames = traceback.extract_tb(crash.__traceback__)
    file, line = (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
    return type(crash).__qualname__, file, line
