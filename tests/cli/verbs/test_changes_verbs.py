"""Comparisons and the way back, on a pipe and on a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminals.command_line import CommandLine


@pytest.fixture(scope="module")
def finished(anyon: CommandLine) -> dict[str, Any]:
    return anyon.json("run", "-y", "Describe the tea", "-a", "demo", "--allow", "*")  # type: ignore[no-any-return]


def test_only_what_came_since_is_shown(anyon: CommandLine, finished: dict[str, Any]) -> None:
    assert anyon.well("diff", "1", "--since", "turn", "--name-only") == "NOTES.md\n"
    said = anyon.well("diff", "1", "--since", "turn")
    assert "+# Notes" in said
    assert "\x1b" not in said
    (of_file,) = anyon.json("diff", "1", "--since", "turn")
    assert of_file["hunks"][0]["lines"][0]["kind"] == "+"
    with anyon.terminal("diff", "1", "--since", "turn", PAGER="cat") as terminal:
        terminal.expect("# Notes")
        assert terminal.end() == 0
        assert "\x1b[32m+# Notes" in terminal.raw
    with anyon.terminal("logs", "1") as terminal:
        assert terminal.end() == 0
    assert anyon.well("diff", "1", "--since", "seen") == ""
    assert anyon.run("diff", "1", "--since", "turn", "--against", "1").returncode == 2
    nowhere = anyon.run("diff", "1", "--since", "no-such-commit", "--json")
    assert json.loads(nowhere.stderr)["error"]["type"] == "not_found"


def test_attempts_are_compared_and_a_tool_is_opened(
    anyon: CommandLine, finished: dict[str, Any]
) -> None:
    other = anyon.json("run", "-y", "Describe the pot", "-a", "demo", "--allow", "*")
    number = str(other["attempt"]["number"])
    assert "NOTES.md" in anyon.well("diff", number, "--against", "1", "--stat")
    anyon.daemon.git(anyon.repository, "config", "difftool.names.cmd", 'echo "tool: $MERGED"')
    shown = anyon.run("diff", "1", "--tool", "names")
    assert (shown.returncode, shown.stdout) == (0, "tool: NOTES.md\n")


def test_what_was_replaced_is_brought_back(anyon: CommandLine, finished: dict[str, Any]) -> None:
    number = str(finished["attempt"]["number"])
    worktree = Path(anyon.well("cd", number).strip())
    notes = (worktree / "NOTES.md").read_text()
    path = f"/api/task-attempts/{finished['attempt']['id']}/delete-file?file_path=NOTES.md"
    anyon.ask("POST", path)
    assert not (worktree / "NOTES.md").exists()
    assert "before: delete-file" in anyon.well("undo", number, "--list")
    assert anyon.run("undo", number).returncode == 6, "nobody is there to be asked"
    with anyon.terminal("undo", number) as terminal:
        terminal.expect("[y/N]")
        terminal.type("y\n")
        terminal.expect("It is as it was")
        assert terminal.end() == 0
    assert (worktree / "NOTES.md").read_text() == notes
    state = anyon.json("undo", number, "--list")[0]
    assert state["reason"] == "undo"
    beside = anyon.repository.parent / "beside"
    anyon.well("undo", number, "--to", str(state["number"]), "--beside", str(beside))
    assert beside.is_dir()
    assert not (beside / "NOTES.md").exists()
    anyon.well("undo", number, "--to", str(state["number"]), "-y")
    assert not (worktree / "NOTES.md").exists()
    missing = anyon.run("undo", number, "--to", "99", "-y", "--json")
    assert json.loads(missing.stderr)["error"]["type"] == "not_found"


def test_comments_of_an_editor_are_sent_as_one_message(
    anyon: CommandLine, finished: dict[str, Any], tmp_path: Path
) -> None:
    run = anyon.json("run", "-y", "Describe the kettle", "-a", "demo", "--allow", "*")
    number = str(run["attempt"]["number"])
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i '/^+# Notes/a > Say more.' \"$1\"\n")
    editor.chmod(0o755)
    kept = anyon.run("review", number, "--keep", EDITOR=str(editor), VISUAL=str(editor))
    assert "1 comment" in kept.stderr
    assert anyon.well("review", number, "--list").startswith("open")
    nothing = anyon.run("review", "1", EDITOR="true", VISUAL="true")
    assert (nothing.returncode, "nothing is sent" in nothing.stderr) == (0, True)
    with anyon.terminal("review", number, VISUAL=str(editor)) as terminal:
        terminal.expect("Sent 2 comments.")
        assert terminal.end() == 0
    listed = anyon.json("review", number, "--list")
    assert [one["lines"] for one in listed[0]["comments"]] == ["# Notes", "# Notes"]
    assert anyon.run("review", number, "--queue", "--keep").returncode == 2
    anyon.well("stop", number)
