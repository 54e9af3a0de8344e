"""A curve is judged by the exponent that fits what is added to the cost of its smallest size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growth.curve import Point, fitted, growth, growths, read, write

XS = (1, 10, 100, 1_000, 10_000)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(exponent: float) -> None:
    assert fitted(XS, [3 * x**exponent for x in XS]) == pytest.approx(exponent)


@pytest.mark.parametrize(
    ("cost", "word"),
    [
        (lambda x: 300.0, "flat"),
        (lambda x: 300.0 + x % 7, "flat"),
        (lambda x: 2.0 * x, "linear"),
        (lambda x: 0.01 * x**1.5, "worse than linear"),
    ],
)
def test_a_curve_is_flat_or_linear_or_worse(cost: object, word: str) -> None:
    assert callable(cost)
    assert growth(XS, [cost(x) for x in XS]).word == word


def test_what_costs_the_same_at_every_size_does_not_hide_a_square() -> None:
    ys = [10_000 + 0.01 * x**2 for x in XS]
    assert fitted(XS, ys) < 1  # over all points, as they are
    assert growth(XS, ys).word == "worse than linear"
    assert growth(XS, [10_000 + 7 * x for x in XS]).word == "linear"


def test_a_step_is_flat() -> None:
    assert growth(XS, [100, 300, 300, 300, 300]).word == "flat"


def test_a_cost_too_small_to_be_measured_is_no_error() -> None:
    assert growth(XS, [0.0, 0.0, 0.0, 0.0, 0.0]).word == "flat"


def test_one_size_is_no_curve() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        fitted([5, 5], [1, 2])
    assert growths([Point(5, 1, 1, 1, 1)]) == {}


def test_points_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    points = [Point(1, 300, 2.5, 800, 7.25), Point(10, 310, 2.75, 900, 8)]
    write(path, points)
    assert read(path) == points
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="does not begin with"):
        read(path)
