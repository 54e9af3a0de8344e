"""Worktrees and logs of tasks that are over go when the settings say so, and never before."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from tests.support.terminals.command_line import CommandLine, command_line


@pytest.fixture
def anyon(tmp_path: Path) -> Iterator[CommandLine]:
    with command_line(tmp_path / "d") as made:
        yield made


def age(anyon: CommandLine, days: int, *, passed: str | None) -> None:
    """Stop the daemon, make all that was done older, and start it again.

    Args:
        passed: the date of the last pass; None for never.
    """
    trio.run(anyon.daemon.stop)
    moment = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(anyon.daemon.data / "anyon.db")) as connection, connection:
        connection.execute("UPDATE tasks SET updated_at = ?", (moment,))
        connection.execute(
            "UPDATE execution_processes SET completed_at = ?, updated_at = ?", (moment, moment)
        )
        connection.execute("DELETE FROM meta WHERE key = 'retention_date'")
        if passed is not None:
            connection.execute("INSERT INTO meta VALUES ('retention_date', ?)", (passed,))
    trio.run(anyon.daemon.start)


def today(days: int = 0) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def worktree(anyon: CommandLine, title: str) -> Path:
    attempt = next(one for one in anyon.json("ps", "-a") if one["title"] == title)
    return Path(anyon.ask("GET", f"/api/task-attempts/{attempt['id']}")["container_ref"])


def has_passed(anyon: CommandLine) -> bool:
    with closing(sqlite3.connect(anyon.daemon.data / "anyon.db")) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'retention_date'").fetchone()
    return row is not None and row[0] == today()


def wait_for_pass(anyon: CommandLine) -> None:
    deadline = time.monotonic() + 60
    while not has_passed(anyon):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def logs_of(anyon: CommandLine) -> list[Path]:
    return sorted((anyon.daemon.data / "executions").glob("*/log"))


def test_what_is_over_for_long_goes_and_comes_back(anyon: CommandLine) -> None:
    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    anyon.well("merge", "-")
    anyon.well("run", "-y", "Coffee", "-a", "demo", "--allow", "*")
    done, open_ = worktree(anyon, "Tea"), worktree(anyon, "Coffee")
    (done / "notes.txt").write_text("not committed\n")
    said = anyon.well("logs", "1")
    logs = logs_of(anyon)

    # For ever, unless somebody says otherwise.
    assert anyon.well("retention") == "worktrees  stay for ever\nlogs       stay for ever\n"
    age(anyon, 40, passed=today())
    assert anyon.json("retention", "--dry-run")["worktrees"] == []
    due = anyon.json("retention", "--dry-run", "--worktrees", "30", "--logs", "30")
    assert [one["path"] for one in due["worktrees"]] == [str(done)]
    assert len(due["logs"]) == 1
    assert due["logs"][0]["bytes"] > 0
    with anyon.terminal("retention", "--dry-run", "--worktrees", "30") as shown:
        shown.expect("worktree")
        shown.expect("Tea")
        assert shown.end() == 0
    assert anyon.json("retention", "--dry-run", "--worktrees", "50")["worktrees"] == []
    assert (done.exists(), logs_of(anyon)) == (True, logs)

    anyon.well("config", "set", "worktrees_stay_days", "30")
    anyon.well("config", "set", "logs_stay_days", "30")
    age(anyon, 40, passed=today(-1))
    deadline = time.monotonic() + 60
    while done.exists() or logs_of(anyon) == logs:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert open_.exists()
    assert len(logs_of(anyon)) < len(logs)
    assert anyon.well("logs", "1") == said
    assert anyon.well("diff", "2")
    # What was in no commit is in a snapshot, and the next turn brings the worktree back.
    assert "notes.txt" in anyon.daemon.git(
        anyon.repository, "ls-tree", "--name-only", *snapshots(anyon)[:1]
    )
    anyon.well("send", "1", "More.")
    assert done.exists()
    anyon.well("stop", "1")


def snapshots(anyon: CommandLine) -> list[str]:
    found = anyon.daemon.git(
        anyon.repository,
        "for-each-ref",
        "--sort=-creatordate",
        "refs/anyon/snapshots",
        "--format=%(refname)",
    )
    return found.split()


@pytest.mark.parametrize("former", [None, -400, 400])
def test_a_clock_that_has_jumped_removes_nothing(anyon: CommandLine, former: int | None) -> None:
    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    anyon.well("merge", "-")
    anyon.well("config", "set", "worktrees_stay_days", "30")
    place = worktree(anyon, "Tea")
    age(anyon, 40, passed=None if former is None else today(former))
    wait_for_pass(anyon)
    trio.run(anyon.daemon.stop)
    assert place.exists()


def test_days_are_days(anyon: CommandLine) -> None:
    refused = anyon.run("config", "set", "logs_stay_days", "40000", "--json")
    assert json.loads(refused.stderr)["error"]["field"] == "logs_stay_days"
    assert anyon.run("retention", "--worktrees", "3").returncode == 2
