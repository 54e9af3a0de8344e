"""The walk through the house names files that are there, and no file twice on one way."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALKS = re.findall(
    r"^\*\*([^*]+)\*\*, from [^\n]*\((\d+) files\):\n(.*?)(?=\n\n|\Z)",
    PAGE,
    re.MULTILINE | re.DOTALL,
)


def test_there_are_four_walks() -> None:
    assert [name for name, _, _ in WALKS] == [
        "A chunk of a log",
        "A follow-up",
        "An approval",
        "Create and start",
    ]


@pytest.mark.parametrize(("name", "number", "text"), WALKS)
def test_each_file_of_a_walk_is_there_and_is_met_once(name: str, number: str, text: str) -> None:
    way = text.partition("Beside that")[0]
    files = re.findall(r"`([a-z_/]+\.py)`", way)
    missing = [file for file in files if not (ROOT / "anyond" / file).is_file()]
    assert missing == [], name
    assert len(files) == len(set(files)) == int(number), name
