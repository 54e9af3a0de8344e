"""What a person types becomes words and filters, and never SQL."""

from __future__ import annotations

import pytest

from anyond.model.refusals.requests import Invalid
from anyond.store.runs.text_query import WORDS_MOST, Filter, parse


def test_words_are_beginnings_and_quoted_words_stand_as_they_are() -> None:
    assert parse("tea timer").match == '"tea"* AND "timer"*'
    assert parse('"tea timer" pot').match == '"tea timer" AND "pot"*'
    assert parse('src/tea.py C++ "open').match == '"src/tea.py"* AND "C++"* AND "open"'
    assert parse("AND OR NOT NEAR( * ^ : -").match == '"AND"* AND "OR"* AND "NOT"* AND "NEAR("*'
    assert parse("note:this").match == '"note:this"*', "what is no filter is a word"
    assert parse("  \t ").match == ""
    assert parse("a " * 1000).match.count("AND") == WORDS_MOST - 1


def test_filters_are_taken_out_and_checked() -> None:
    query = parse('tea project:"Tea shop" agent:codex status:done before:2025-01-31')
    assert query.match == '"tea"*'
    assert query.filters == {
        Filter.PROJECT: "Tea shop",
        Filter.AGENT: "codex",
        Filter.STATUS: "done",
        Filter.BEFORE: "2025-01-31",
    }
    for wrong in ("status:soon", "before:yesterday", "before:2025-01-31'--", "after:²"):
        with pytest.raises(Invalid, match="q: has"):
            parse(wrong)
