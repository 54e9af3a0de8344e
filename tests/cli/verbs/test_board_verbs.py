"""What is put away, and what a person has seen on a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.terminals.command_line import CommandLine


@pytest.fixture(scope="module")
def finished(anyon: CommandLine) -> dict[str, Any]:
    """The answer of a run that nobody has looked at: it was on a pipe."""
    return anyon.json("run", "-y", "Describe the tea", "-a", "demo", "--allow", "*")  # type: ignore[no-any-return]


def kinds(anyon: CommandLine) -> list[str]:
    return [item["kind"] for item in anyon.json("inbox")]


def test_what_was_read_on_a_terminal_is_seen_and_on_a_pipe_it_is_not(
    anyon: CommandLine, finished: dict[str, Any]
) -> None:
    anyon.well("logs", "1")
    anyon.well("diff", "1", "--stat")
    assert kinds(anyon) == ["finished"]
    assert "Describe the tea" in anyon.well("inbox")
    with anyon.terminal("inbox", "--list") as terminal:
        terminal.expect("● finished")
        assert terminal.end() == 0
    with anyon.terminal("logs", "1") as terminal:
        assert terminal.end() == 0
    assert kinds(anyon) == []
    with anyon.terminal("inbox") as terminal:
        terminal.expect("Nothing waits for you.")
        assert terminal.end() == 0


def test_tasks_are_put_away_and_taken_back(anyon: CommandLine, finished: dict[str, Any]) -> None:
    (outcome,) = anyon.json("archive", "1")
    assert outcome["task"]["archived_at"]
    assert anyon.well("ps") == ""
    assert "Describe the tea" in anyon.well("ps", "-a")
    with anyon.terminal("archive", "1", "--undo") as terminal:
        terminal.expect("There again: 1.")
        assert terminal.end() == 0
    assert "Describe the tea" in anyon.well("ps")
    with anyon.terminal("archive", "1", "--attempt") as terminal:
        terminal.expect("Back: `anyon archive 1 --undo`.")
        assert terminal.end() == 0
    assert anyon.well("ps") == ""
    anyon.well("archive", "1", "--attempt", "--undo")
    assert "Describe the tea" in anyon.well("ps")
    nothing = anyon.run("archive", "no such", "--json")
    assert json.loads(nothing.stderr)["error"]["type"] == "not_found"


def test_a_message_that_was_begun_waits(anyon: CommandLine, finished: dict[str, Any]) -> None:
    attempt = anyon.json("ps", "-a")[0]["id"]
    draft = f"/api/task-attempts/{attempt}/draft"
    anyon.ask("PUT", draft, {"prompt": "And the \x1b[2J price?"})
    assert "draft" in kinds(anyon)
    assert "And the ␛[2J price?" in anyon.well("inbox")
    with anyon.terminal("inbox") as terminal:
        terminal.expect("has a message that was not sent")
        assert terminal.end() == 0
    anyon.ask("DELETE", draft)
    assert "draft" not in kinds(anyon)


def test_a_yes_reaches_as_far_as_a_person_says(
    anyon: CommandLine, finished: dict[str, Any]
) -> None:
    number = str(anyon.json("run", "-y", "Once more", "-a", "demo", "-d")[0]["number"])
    assert anyon.run("wait", number).returncode == 6
    with anyon.terminal("answer", number) as terminal:
        terminal.expect("for this [a]ttempt")
        terminal.type("a")
        assert terminal.end() == 0
    assert [rule["scope"] for rule in anyon.ask("GET", "/api/approval-rules")] == ["attempt"]
    assert anyon.run("wait", number).returncode == 0
    anyon.well("send", number, "Again")
    assert anyon.run("wait", number).returncode == 0, "nobody was asked"
    other = str(anyon.json("run", "-y", "One more", "-a", "demo", "-d")[0]["number"])
    assert anyon.run("wait", other).returncode == 6
    assert anyon.run("answer", other, "--yes", "--turn").returncode == 2
    anyon.well("answer", other, "--project")
    assert anyon.run("wait", other).returncode == 0
    scopes = [rule["scope"] for rule in anyon.ask("GET", "/api/approval-rules")]
    assert sorted(scopes) == ["attempt", "project"]
