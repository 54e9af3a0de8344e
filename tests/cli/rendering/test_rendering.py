"""Texts are harmless, tables fit, times are short."""

from __future__ import annotations

import pytest

from anyond.cli.rendering.colors import PLAIN, Painter, Style
from anyond.cli.rendering.harmless import harmless, in_one_line
from anyond.cli.rendering.tables import Cell, cut, table, width
from anyond.cli.rendering.times import age, duration, parsed


def test_nothing_that_acts_is_left() -> None:
    acting = [chr(n) for n in (*range(32), *range(127, 160)) if chr(n) not in "\n\t"]
    for character in [*acting, "\u202e", "\u2066", "\u200f", "\ud800"]:
        made = harmless(f"a{character}b")
        assert character not in made
        assert len(made) == 3
    assert harmless("tea\r\n\tä 茶 \x1b[31m") == "tea\n\tä 茶 ␛[31m"
    assert in_one_line(" a\n\n\tb\x1b ") == "a b␛"


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert [width(text) for text in ("tea", "茶", "e\u0301")] == [3, 2, 1]
    assert [cut(text, 4) for text in ("tea", "teas", "teapot", "茶茶茶")] == [
        "tea",
        "teas",
        "tea…",
        "茶…",
    ]
    rows = [[Cell("1"), Cell("茶 of the day"), Cell("x")], [Cell("12"), Cell("b"), Cell("yz")]]
    assert table(("#", "TITLE", "Z"), rows, PLAIN) == [
        "#   TITLE          Z",
        "1   茶 of the day  x",
        "12  b              yz",
    ]
    narrow = table(("#", "TITLE", "Z"), rows, PLAIN, columns=16, flexible=[1])
    assert narrow[1] == "1   茶 of t…  x"
    painted = Painter(True)("a", Style.GOOD)
    assert painted == "\x1b[32ma\x1b[0m"


def test_times_are_short() -> None:
    moment = "2025-01-08T00:00:00.000Z"
    began = 1736294400.0
    assert [age(moment, began + s) for s in (0, 59, 61, 7200, 3 * 86400, -5)] == [
        "now",
        "59s",
        "1m",
        "2h",
        "3d",
        "now",
    ]
    assert [duration(s) for s in (0.2, 61, 3600, 90061)] == ["0s", "1m 1s", "1h", "1d 1h"]
    assert [parsed(text) for text in ("90", "1.5h", "30m", "2d")] == [90, 5400, 1800, 172800]
    for wrong in ("x", "-1", "1w"):
        with pytest.raises(ValueError, match=wrong):
            parsed(wrong)
