"""Ratios are formed pair by pair."""

from __future__ import annotations

import pytest

from benchmarks.pairs import Pairs, Spread, in_turns, spread


def test_a_ratio_is_that_of_each_pair_and_not_of_two_medians() -> None:
    # The machine became three times slower after the first pair: each ratio is 2 all the same.
    pairs = Pairs()
    for base, ours in ((1.0, 2.0), (3.0, 6.0), (3.0, 6.0)):
        pairs.add(base, ours)
    assert pairs.ratios() == Spread(2.0, 2.0, 2.0)


def test_what_is_spared_is_taken_from_ours_alone() -> None:
    pairs = Pairs(ours=[1.5], base=[1.0])
    assert pairs.ratios(spare=0.5).middle == 1.0
    assert pairs.ratios(spare=2.0).middle == 0.0


def test_both_are_measured_in_turn_and_the_first_rounds_do_not_count() -> None:
    order: list[str] = []
    values = iter(range(1, 100))

    def measured(name: str) -> float:
        order.append(name)
        return float(next(values))

    pairs = in_turns(lambda: measured("base"), lambda: measured("ours"), 2, warm=1)
    assert order == ["base", "ours"] * 3
    assert pairs == Pairs(ours=[4.0, 6.0], base=[3.0, 5.0])


def test_quartiles_lie_between_the_values() -> None:
    found = spread([5.0, 1.0, 3.0, 2.0, 4.0])
    assert found == Spread(3.0, 2.0, 4.0)
    assert found.relative == pytest.approx(2 / 3)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)


def test_nothing_measured_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Pairs().ratios()
