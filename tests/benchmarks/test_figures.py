"""A promise is judged by the ratio; a machine that is too busy fails nothing."""

from __future__ import annotations

from benchmarks.busy import Load
from benchmarks.figures import duration, judgement, rate, ratio, size, table
from benchmarks.pairs import Pairs


def test_a_ratio_is_printed_with_its_spread_and_absolute_figures_beside_it() -> None:
    figure = ratio("a thing", Pairs([0.4, 0.5, 0.6], [0.4, 0.4, 0.4]), name="git", at_most=1.5)
    assert figure.ratio == "1.25 × (1.12 to 1.38)"
    assert (figure.value, figure.baseline) == ("500.0 ms", "git: 400.0 ms")
    assert (figure.promise, figure.holds) == ("≤ 1.5 ×", True)


def test_a_limit_may_be_missed_in_either_direction() -> None:
    pairs = Pairs([2.0], [1.0])
    assert ratio("slow", pairs, name="b", at_most=1.9).holds is False
    assert ratio("slow", pairs, name="b", at_most=1.0, spare=1.0).holds is True
    assert ratio("fast", pairs, name="b", at_least=3, show=rate).holds is False
    assert ratio("told", pairs, name="b").holds is None


def test_a_missed_promise_counts_only_on_a_calm_machine() -> None:
    missed = ratio("slow", Pairs([2.0], [1.0]), name="b", at_most=1)
    loaded = missed._replace(load=Load(0.5, 0.0))
    assert missed.missed
    assert not loaded.missed
    assert "MISSED" in table([missed])
    assert "too busy (missed)" in table([loaded])
    reported = judgement([missed, loaded])
    assert "0 promises hold, 1 are missed." in reported
    assert "too busy to judge 1 more" in reported
    assert "slow: other programs took 50% of the processors" in reported


def test_a_baseline_that_varies_too_much_judges_nothing() -> None:
    wild = ratio("slow", Pairs([9.0] * 4, [1.0, 1.0, 4.0, 4.0]), name="b", at_most=1)
    assert wild.holds is False
    assert not wild.missed


def test_figures_are_shown_in_the_unit_that_reads_best() -> None:
    assert [duration(s) for s in (2.5, 0.0123, 0.0000042)] == ["2.50 s", "12.3 ms", "4.2 µs"]
    assert [size(n) for n in (12, 1_500, 3_000_000, 2e9)] == ["12 B", "1.5 KB", "3.0 MB", "2.0 GB"]
