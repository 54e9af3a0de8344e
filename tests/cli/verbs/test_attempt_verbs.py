"""One attempt, through all verbs, on pipes and on a terminal."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminals.command_line import CommandLine


@pytest.fixture(scope="module")
def finished(anyon: CommandLine) -> dict[str, Any]:
    """What `run` answers of an attempt that has ended well."""
    anyon.daemon.git(anyon.repository, "branch", "develop")
    done = anyon.well("run", "-y", "Describe the tea timer", "-a", "demo", "--allow", "*", "--json")
    return json.loads(done)  # type: ignore[no-any-return]


def test_a_conversation_is_printed_in_all_forms(
    anyon: CommandLine, finished: dict[str, Any]
) -> None:
    text = anyon.well("logs", "1")
    assert text.startswith("› Describe the tea timer\n")
    assert text.endswith("ended with 0\n")
    assert anyon.well("logs", "1", "-f") == text
    assert len(anyon.well("logs", "1", "-n", "2")) < len(text)
    lines = anyon.well("logs", "1", "--json").splitlines()
    entries = [json.loads(line) for line in lines]
    assert [one["index"] for one in entries] == sorted({one["index"] for one in entries})
    last = anyon.well("logs", "1", "--json", "-n", "3").splitlines()
    assert last == lines[-3:]
    tools = anyon.well("logs", "1", "--kind", "tool_use", "--timestamps").splitlines()
    assert tools
    assert all(line[:2] == "20" and "  tool_use: " in line for line in tools)
    raw = anyon.well("logs", "1", "--raw")
    assert '"sessionUpdate"' in raw
    assert raw.endswith(anyon.well("logs", "1", "--raw", "-n", "1"))
    with anyon.terminal("logs", "1") as terminal:
        terminal.expect("✓ $ git status --short")
        assert terminal.end() == 0


def test_a_diff_is_a_patch_that_git_applies(
    anyon: CommandLine, finished: dict[str, Any], tmp_path: Path
) -> None:
    patch = anyon.well("diff", "1")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "apply"], cwd=tmp_path, input=patch, text=True, check=True)
    worktree = Path(anyon.well("cd", "1").strip())
    assert (tmp_path / "NOTES.md").read_text() == (worktree / "NOTES.md").read_text()
    assert anyon.well("diff", "1", "--name-only") == "NOTES.md\n"
    assert "1 file changed" in anyon.well("diff", "1", "--stat")
    assert anyon.json("diff", "1")[0]["newPath"] == "NOTES.md"
    with anyon.terminal("diff", "1") as terminal:
        terminal.expect("+# Notes")
        assert terminal.end() == 0
        assert "\x1b[32m+# Notes" in terminal.raw
    with anyon.terminal("diff", "1", PAGER="sed s/^/paged:/") as terminal:
        terminal.expect("paged:")
        assert terminal.end() == 0


def test_a_worktree_stands_for_its_attempt(anyon: CommandLine, finished: dict[str, Any]) -> None:
    worktree = Path(anyon.well("cd", "1").strip())
    assert anyon.well("diff", "--name-only", cwd=worktree) == "NOTES.md\n"
    assert anyon.well("cd", "-").strip() == str(worktree)
    assert anyon.well("cd", finished["attempt"]["id"][:6]).strip() == str(worktree)
    done = anyon.run("exec", "1", "--", "sh", "-c", "test -f NOTES.md && exit 9")
    assert done.returncode == 9
    nowhere = anyon.run("diff", "--json", cwd=anyon.repository)
    assert json.loads(nowhere.stderr)["error"]["type"] == "not_found"
    assert anyon.run("exec", "1", "--", "no-such-program").returncode == 1


def test_the_state_is_waited_for_and_refused(anyon: CommandLine, finished: dict[str, Any]) -> None:
    assert anyon.well("wait", "1") == "finished\n"
    assert anyon.run("wait", "1", "--for", "question").returncode == 5
    waiting = anyon.json("run", "-y", "Second", "-a", "demo", "-d")[0]
    number = str(waiting["number"])
    assert anyon.run("wait", number).returncode == 6
    assert anyon.well("wait", number, "--for", "question") == "question\n"
    late = anyon.run("wait", number, "--for", "done", "--timeout", "0.2", "--json")
    assert (late.returncode, json.loads(late.stderr)["error"]["type"]) == (124, "time_is_up")
    busy = anyon.run("send", number, "More", "--json")
    assert busy.returncode == 8
    anyon.well("send", number, "Then this", "--queue")
    anyon.well("stop", number)
    assert anyon.run("wait", number).returncode == 5
    anyon.well("retry", number)
    assert anyon.run("wait", number).returncode == 6
    with anyon.terminal("inbox") as terminal:
        terminal.expect("[s]kip")
        terminal.type("y")
        assert terminal.end() == 0
    assert anyon.run("wait", number, "--for", "done").returncode == 0
    assert anyon.well("stop", "--all") == ""


def test_work_is_merged_where_it_belongs(anyon: CommandLine, finished: dict[str, Any]) -> None:
    said = anyon.well("merge", "1", "--dry-run")
    assert "1 commit to merge into main" in said
    assert anyon.json("merge", "1", "--dry-run")["commits_ahead"] == 1
    compared = anyon.well("compare", "1", "1")
    assert "NOTES.md" in compared
    pushed = anyon.run("push", "1", "--json")
    assert pushed.returncode != 0
    assert json.loads(pushed.stderr)["error"]["type"] == "no_remote"
    assert anyon.run("pr", "1").returncode != 0
    anyon.well("rebase", "1")
    merged = anyon.json("merge", "1", "--squash", "--into", "develop")
    assert (merged["state"], merged["target_branch"]) == ("merged", "develop")
    assert "NOTES.md" in anyon.daemon.git(anyon.repository, "ls-tree", "--name-only", "develop")
    again = anyon.run("merge", "1", "--json")
    assert (again.returncode, json.loads(again.stderr)["error"]["type"]) == (8, "nothing_to_merge")


def test_a_task_is_written_down_and_deleted(anyon: CommandLine, finished: dict[str, Any]) -> None:
    id = anyon.well("new", "For later", "-d", "Tea.").strip()
    assert anyon.ask("GET", f"/api/tasks/{id}")["description"] == "Tea."
    made = anyon.json("run", "-y", "Third", "-a", "demo", "-d", "-n", "2")
    assert len({one["task_id"] for one in made}) == 1
    both = [str(one["number"]) for one in made]
    several = anyon.run("cd", "Third", "--json")
    assert json.loads(several.stderr)["error"]["type"] == "ambiguous"
    anyon.well("stop", *both)
    assert anyon.run("rm", both[0]).returncode == 6
    with anyon.terminal("rm", both[0]) as terminal:
        terminal.expect("[y/N]")
        terminal.type("y\n")
        assert terminal.end() == 0
    assert anyon.run("cd", both[1]).returncode == 1
