"""What was said is found from a terminal, and what it has cost is shown."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support.daemon import TIMEOUT_S
from tests.support.terminals.command_line import CommandLine


@pytest.fixture(scope="module")
def finished(anyon: CommandLine) -> dict[str, Any]:
    """A run that is over, and is in the index."""
    title = "Describe the oolong \x1b[2J pot"
    found = anyon.json("run", "-y", title, "-a", "demo", "--allow", "*")
    deadline = time.monotonic() + TIMEOUT_S
    while not any(hit["number"] for hit in anyon.json("search", "oolong")):
        assert time.monotonic() < deadline, "it is not found"
    return found  # type: ignore[no-any-return]


def test_words_are_found_and_shown_without_harm(
    anyon: CommandLine, finished: dict[str, Any]
) -> None:
    said = anyon.well("search", "oolong", "pot")
    assert "Describe the oolong ␛[2J pot" in said, "with its spaces"
    assert "\x1b" not in said
    with anyon.terminal("search", "oolong") as terminal:
        assert terminal.end() == 0
        assert "\x1b[1;33moolong\x1b[0m" in terminal.raw
        assert "\x1b[2J" not in terminal.raw
        assert max(map(len, terminal.text.splitlines())) <= 100
    assert anyon.json("search", "oolong", "--agent", "codex") == []
    assert anyon.json("search", "oolong", "--before", "1d") == []
    assert anyon.json("search", "oolong", "--project", "tea")
    assert anyon.json("search", "oolong pot describe") == [], "in quotes: one beside the other"
    assert len(anyon.json("search", "oolong", "-n", "1")) == 1
    nothing = anyon.run("search", "'; DROP TABLE tasks; --")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing was found." in nothing.stderr
    wrong = anyon.run("search", "x", "--before", "soon", "--json")
    assert (wrong.returncode, json.loads(wrong.stderr)["error"]["type"]) == (2, "usage")


def test_the_conversation_of_a_hit_is_opened(anyon: CommandLine, finished: dict[str, Any]) -> None:
    assert anyon.well("search", "oolong", "--open") == anyon.well("logs", "1")
    with anyon.terminal("search", "oolong", "--open", PAGER="cat") as terminal:
        terminal.expect("oolong")
        assert terminal.end() == 0
    assert anyon.run("search", "no-such-word", "--open").returncode == 1


def test_what_is_not_known_of_costs_is_a_question_mark(
    anyon: CommandLine, finished: dict[str, Any]
) -> None:
    head, row = anyon.well("usage", "--by", "agent").splitlines()
    assert head.split()[:3] == ["AGENT", "RUNS", "COST"]
    assert row.split()[:3] == ["DEMO", "1", "?"]
    with anyon.terminal("usage") as terminal:
        terminal.expect("DAY")
        assert terminal.end() == 0
    (task,) = anyon.json("usage", "--by", "task")
    assert (task["runs"], task["cost_usd"]) == (1, None)
    assert anyon.well("usage", "--since", "2999-01-01") == ""
    assert "COST" not in anyon.well("ps", "-a"), "nobody has told any"
