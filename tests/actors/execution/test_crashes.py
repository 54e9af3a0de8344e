"""Crashes are counted by what was raised where, and each pause is longer than the one before."""

from __future__ import annotations

import pytest

from anyond.actors.execution.crashes import Crashes, passes, sentence
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import NotFound


def crash(kind: type[Exception], text: str = "") -> Exception:
    try:
        raise kind(text)
    except Exception as raised:  # it is what is asked for
        return raised


def elsewhere(kind: type[Exception]) -> Exception:
    try:
        raise kind
    except Exception as raised:  # it is what is asked for
        return raised


def test_the_fifth_of_a_kind_is_the_last() -> None:
    crashes = Crashes()
    assert [crashes.count(crash(ValueError, str(n))) for n in range(5)] == [True] * 4 + [False]


def test_kinds_are_counted_apart_and_all_of_them_together() -> None:
    crashes = Crashes()
    kinds: list[type[Exception]] = [ValueError, KeyError, OSError, TypeError, LookupError]
    found = [
        crashes.count(raised)
        for kind in kinds
        for raised in (crash(kind), elsewhere(kind), crash(kind), elsewhere(kind))
    ]
    assert found == [True] * 19 + [False]


def test_only_the_first_is_told_in_full_and_pauses_grow() -> None:
    crashes = Crashes()
    pauses, firsts = [], []
    for kind in (ValueError, KeyError, OSError, TypeError, LookupError, ArithmeticError) * 2:
        crashes.count(crash(kind))
        pauses.append(crashes.pause_s)
        firsts.append(crashes.first)
    assert firsts == [True] + [False] * 11
    assert pauses[:7] == [0.5, 1, 2, 4, 8, 16, 30]
    assert set(pauses[7:]) == {30}


@pytest.mark.parametrize("waits", [Unavailable("No room."), NotFound("process", "x")])
def test_a_group_passes_by_itself_if_all_in_it_do(waits: Exception) -> None:
    bug = ValueError("a bug of ours")
    assert passes(waits)
    assert not passes(bug)
    assert passes(ExceptionGroup("", [waits, ExceptionGroup("", [waits])]))
    assert not passes(ExceptionGroup("", [waits, bug]))
    assert sentence(ExceptionGroup("", [waits, bug])) == "ValueError: a bug of ours"
    assert sentence(KeyError()) == "KeyError"
