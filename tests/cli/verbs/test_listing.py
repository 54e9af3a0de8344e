"""Lists of attempts, on a pipe and on a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

from tests.support.terminals.command_line import CommandLine


@pytest.fixture(scope="module")
def attempt(anyon: CommandLine) -> dict[str, Any]:
    """One whose title and branch would do harm, with a question."""
    body = {"name": "Tea", "git_repo_path": str(anyon.repository), "use_existing_repo": True}
    project = anyon.ask("POST", "/api/projects", body)
    new = {
        "task": {"project_id": project["id"], "title": "Brew \x1b]0;gone\x07\x1b[2J tea"},
        "executor_profile_id": {"executor": "DEMO"},
        "base_branch": "main",
    }
    task = anyon.ask("POST", "/api/tasks/create-and-start", new)
    (found,) = anyon.ask("GET", f"/api/task-attempts?task_id={task['id']}")

    async def asked() -> None:
        async with anyon.daemon.client():
            await anyon.daemon.question()

    trio.run(asked)
    return found  # type: ignore[no-any-return]


def test_a_pipe_gets_whole_lines_without_colours(
    anyon: CommandLine, attempt: dict[str, Any]
) -> None:
    head, line = anyon.well("ps").splitlines()
    assert head.split()[:4] == ["#", "STATE", "SINCE", "TITLE"]
    assert line.startswith("1  ? asks")
    assert attempt["branch"] in line
    assert "\x1b" not in line
    assert "Brew ␛]0;gone␇␛[2J tea" in line
    assert anyon.well("ps", "--ids").split() == [attempt["id"]]
    (one,) = anyon.json("ps")
    assert (one["id"], one["number"], one["state"]) == (attempt["id"], 1, "question")
    assert "\x1b[1;33m" in anyon.well("--color", "always", "ps")
    assert "\x1b[1;33m" in anyon.well("ps", CLICOLOR_FORCE="1")


def test_a_terminal_gets_colours_and_lines_that_fit(
    anyon: CommandLine, attempt: dict[str, Any]
) -> None:
    with anyon.terminal("ps") as terminal:
        assert terminal.end() == 0
        assert "\x1b[1;33m? asks\x1b[0m" in terminal.raw
        assert max(map(len, terminal.text.splitlines())) <= 100
        assert "\x1b]" not in terminal.raw
        assert "\x1b[2J" not in terminal.raw
    with anyon.terminal("ps", NO_COLOR="1") as terminal:
        assert terminal.end() == 0
        assert "\x1b" not in terminal.raw


def test_a_watch_goes_on_until_ctrl_c(anyon: CommandLine, attempt: dict[str, Any]) -> None:
    with anyon.terminal("ps", "-w") as terminal:
        terminal.expect("? asks")
        terminal.expect("? asks")
        terminal.type("\x03")
        assert terminal.end() == 0


def test_projects_are_named_and_misnamed(anyon: CommandLine, attempt: dict[str, Any]) -> None:
    assert len(anyon.json("ps", "--project", "tea", "--needs-me")) == 1
    missing = anyon.run("ps", "--project", "coffee", "--json")
    assert missing.returncode == 1
    assert json.loads(missing.stderr)["error"]["type"] == "not_found"
