"""What has not ended when it is imported is completed by an import after its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anyond.model.ids import derived_id
from tests.support.daemon import Daemon
from tests.support.importing.old_installation import counts, run
from tests.support.importing.old_kanban import AGES, OldKanban, claude_lines, first_request

HALF = "1 runs. They are shown as killed"


def at_work(root: Path, age: str = "0.0.116") -> OldKanban:
    """An agent has begun to speak."""
    old = OldKanban(root, age)
    old.project()
    old.task("pay", "inprogress")
    old.attempt("first", "pay", old.worktree("first"))
    turn = {"session_id": None, "prompt": "Go", "summary": None}
    old.process("run", "first", 4, first_request("Go"), status="running", turn=turn)
    old.log("run", claude_lines("I am ready.")[0])
    return old


def end(old: OldKanban, status: str, code: int | None) -> None:
    """And has said the rest."""
    old.log("run", claude_lines("I am ready.")[1])
    old.connection.execute(
        "UPDATE execution_processes SET status = ?, exit_code = ?,"
        " completed_at = '2025-10-21 09:30:00.250' WHERE id = ?",
        (status, code, old.key("run")),
    )
    turns = "coding_agent_turns" if old.workspaces else "executor_sessions"
    old.connection.execute(f"UPDATE {turns} SET session_id = 's-1', summary = 'Ready.'")


async def displayed(daemon: Daemon, old: OldKanban) -> tuple[dict[str, Any], list[str], str]:
    process = await daemon.ask("GET", f"/api/execution-processes/{old.id('run')}")
    entries = await daemon.entries(process)
    return process, [entry["content"] for entry in entries], await daemon.raw(process)


@pytest.mark.parametrize(
    ("age", "status", "code"),
    [
        (AGES[0], "completed", 0),
        (AGES[1], "failed", 2),
        (AGES[2], "killed", None),
        (AGES[3], "completed", 0),
    ],
)
async def test_a_run_that_has_ended_since_is_completed(
    tmp_path: Path, age: str, status: str, code: int | None
) -> None:
    old = at_work(tmp_path / "old", age)
    daemon = Daemon(tmp_path / "daemon")
    assert HALF in run(daemon, str(old.path)).stdout
    second = run(daemon, str(old.path)).stdout
    assert HALF in second
    assert "completed: 1 runs" not in second
    async with daemon:
        process, entries, raw = await displayed(daemon, old)
        assert process["status"] == "killed"
        assert "I am ready." not in entries
    end(old, status, code)
    third = run(daemon, str(old.path)).stdout
    assert "completed: 1 runs" in third
    assert HALF not in third
    assert counts(third)["processes"] == [1, 0, 1]
    assert "completed: 1 runs" not in run(daemon, str(old.path)).stdout
    async with daemon:
        process, entries, whole = await displayed(daemon, old)
        assert (process["status"], process["exit_code"]) == (status, code)
        assert process["completed_at"] == "2025-10-21T09:30:00.250Z"
        assert "I am ready." in entries
        assert whole.startswith(raw)
        assert '"type": "result"' in whole
    assert [path.name for path in (daemon.data / "executions").iterdir()] == [old.id("run")]


async def test_a_run_after_which_work_went_on_here_stays_as_it_is(tmp_path: Path) -> None:
    old = at_work(tmp_path / "old")
    daemon = Daemon(tmp_path / "daemon")
    assert run(daemon, str(old.path)).returncode == 0
    async with daemon:
        await daemon.ask("PUT", f"/api/projects/{old.id('shop')}", {"dev_script": "true"})
        await daemon.ask("POST", f"/api/task-attempts/{old.id('first')}/start-dev-server", {})
    end(old, "completed", 0)
    done = run(daemon, str(old.path)).stdout
    assert "the end of a process of attempt vk/first: it had not ended at an earlier" in done
    async with daemon:
        process, entries, _ = await displayed(daemon, old)
        assert process["status"] == "killed"
        assert "I am ready." not in entries


async def test_a_completion_that_was_cut_short_is_done_by_the_next_import(tmp_path: Path) -> None:
    old = at_work(tmp_path / "old")
    daemon = Daemon(tmp_path / "daemon")
    assert run(daemon, str(old.path)).returncode == 0
    end(old, "completed", 0)
    reported = run(daemon, "--dry-run", str(old.path)).stdout
    assert "to be completed: 1 runs" in reported
    spools = daemon.data / "executions"
    # As it is when the old log has gone and the new one was still elsewhere.
    (spools / old.id("run")).rename(spools / derived_id("ended since an import", old.id("run")))
    assert "to be completed: 1 runs" in run(daemon, str(old.path)).stdout
    async with daemon:
        process, entries, _ = await displayed(daemon, old)
        assert process["status"] == "completed"
        assert "I am ready." in entries
    assert [path.name for path in spools.iterdir()] == [old.id("run")]
