"""Attempts and their processes: each request of the page, and what it promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.support.clients.reference_client import (
    ATTEMPT,
    DRAFT,
    OID,
    PROCESS,
    TASK,
    TIME,
    UUID,
    ReferenceClient,
    misfits,
    with_claude,
)
from tests.support.daemon import TIMEOUT_S, Daemon
from tests.support.http.pictures import png

PROFILE = {"executor": "CLAUDE_CODE", "variant": None}


@pytest.fixture
def page(daemon: Daemon) -> ReferenceClient:
    return with_claude(daemon)


async def test_attempts_and_their_processes(page: ReferenceClient, daemon: Daemon) -> None:
    first = await page.attempt(setup_script="echo ready", cleanup_script="echo clean")
    process = await page.over(first)
    path = f"/api/task-attempts/{first['id']}"
    found = await page.ask("GET", path, {**ATTEMPT, "setup_completed_at": TIME})
    assert found["branch"].startswith("anyon/")
    assert found["target_branch"] == "main"
    assert Path(found["container_ref"]).is_dir()

    processes = f"/api/execution-processes?task_attempt_id={first['id']}"
    listed = await page.ask("GET", f"{processes}&show_soft_deleted=false", [PROCESS])
    assert [p["run_reason"] for p in listed] == ["cleanupscript", "codingagent", "setupscript"]
    assert {p["status"] for p in listed} == {"completed"}
    agent = listed[1]
    kind = {"type": "CodingAgentInitialRequest", "executor_profile_id": PROFILE, "prompt": str}
    over = {"after_head_commit": OID, "completed_at": TIME, "exit_code": 0}
    ran = {**over, "executor_action": {"typ": kind, "next_action": dict}, "before_head_commit": OID}
    assert misfits(agent, ran) == []
    one = f"/api/execution-processes/{process['id']}"
    assert await page.ask("GET", one, PROCESS) == process
    await page.ask("POST", f"{one}/stop", None)

    body = {
        "task_id": first["task_id"],
        "executor_profile_id": {"executor": "CLAUDE_CODE", "variant": "PLAN"},
        "base_branch": "main",
    }
    second = await page.ask("POST", "/api/task-attempts", ATTEMPT, body)
    await page.ask("POST", f"/api/task-attempts/{second['id']}/stop", None)  # it asks for consent
    query = f"/api/task-attempts?task_id={first['task_id']}"
    assert [a["id"] for a in await page.ask("GET", query, [ATTEMPT])] == [
        second["id"],
        first["id"],
    ]
    assert len(await page.ask("GET", "/api/task-attempts", [ATTEMPT])) == 2


async def test_follow_ups_and_replacements(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt()
    first = await page.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}"
    files = {"image": ("screenshot.png", png(), "image/png")}
    image = await page.ask("POST", "/api/images/upload", dict, files=files)
    body = {
        "prompt": "Please add error handling for edge cases",
        "variant": None,
        "image_ids": [image["id"]],
        "retry_process_id": None,
        "force_when_dirty": False,
        "perform_git_reset": True,
    }
    agent = {**PROCESS, "run_reason": "codingagent", "task_attempt_id": attempt["id"]}
    followed = await page.ask("POST", f"{path}/follow-up", agent, body)
    assert (await page.over(attempt))["id"] == followed["id"]
    retry = {**body, "image_ids": None, "retry_process_id": followed["id"]}
    retried = await page.ask("POST", f"{path}/follow-up", agent, retry)
    await page.over(attempt)
    replaced = {
        "deleted_count": 2,
        "git_reset_needed": bool,
        "git_reset_applied": bool,
        "target_before_oid": OID,
        "new_execution_id": UUID,
    }
    body = {
        "process_id": first["id"],
        "prompt": "Try a different approach",
        "variant": None,
        "force_when_dirty": False,
        "perform_git_reset": True,
    }
    found = await page.ask("POST", f"{path}/replace-process", replaced, body)
    assert (await page.over(attempt))["id"] == found["new_execution_id"]
    query = f"/api/execution-processes?task_attempt_id={attempt['id']}"
    assert len(await page.ask("GET", query, [PROCESS])) == 1
    everything = await page.ask("GET", f"{query}&show_soft_deleted=true", [PROCESS])
    dropped = {p["id"] for p in everything if p["dropped"]}
    assert dropped == {first["id"], followed["id"], retried["id"]}


async def test_stopping(page: ReferenceClient) -> None:
    attempt = await page.attempt("wait")
    await page.ask("POST", f"/api/task-attempts/{attempt['id']}/stop", None)
    process = await page.over(attempt)
    assert process["status"] == "killed"
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    again = await page.ask("POST", path, {**PROCESS, "status": "running"}, {"prompt": "wait"})
    await page.ask("POST", f"/api/execution-processes/{again['id']}/stop", None)
    assert (await page.over(attempt))["status"] == "killed"


async def test_the_setup_of_an_agent_that_has_none_is_refused_in_words(
    page: ReferenceClient,
) -> None:
    attempt = await page.attempt()
    await page.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}/run-agent-setup"
    refusal = {"type": "setup_not_supported"}
    await page.refused("POST", path, 422, refusal, {"executor_profile_id": PROFILE})


async def test_the_state_of_the_branch(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt()
    await page.over(attempt)
    worktree = Path(attempt["container_ref"])
    path = f"/api/task-attempts/{attempt['id']}"
    (worktree / "README.md").write_text("changed\n")
    (worktree / "new.txt").write_text("new\n")
    status = {
        "commits_ahead": 1,
        "commits_behind": 0,
        "has_uncommitted_changes": True,
        "head_oid": OID,
        "uncommitted_count": 1,
        "untracked_count": 1,
        "target_branch_name": "main",
        "remote_commits_ahead": 0,
        "remote_commits_behind": 0,
        "merges": [],
        "is_rebase_in_progress": False,
        "conflict_op": None,
        "conflicted_files": [],
    }
    found = await page.ask("GET", f"{path}/branch-status", status)
    sha = daemon.git(worktree, "rev-parse", "main").strip()
    info = {"sha": sha, "subject": "First"}
    await page.ask("GET", f"{path}/commit-info?sha={sha[:7]}", info)
    comparison = {
        "head_oid": found["head_oid"],
        "target_oid": sha,
        "ahead_from_head": 0,
        "behind_from_head": 1,
        "is_linear": True,
    }
    await page.ask("GET", f"{path}/commit-compare?sha={sha[:7]}", comparison)

    diff = {
        "change": "added",
        "oldPath": None,
        "newPath": "src/index.ts",
        "oldContent": None,
        "newContent": "1\n",
        "contentOmitted": False,
        "additions": 1,
        "deletions": 0,
    }
    await page.frame(f"{path}/diff/ws?stats_only=false", {"type": "diff", "data": diff})
    only = {**diff, "newContent": None, "contentOmitted": True}
    await page.frame(f"{path}/diff/ws?stats_only=true", {"type": "diff", "data": only})


async def test_what_is_done_to_the_branch(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt()
    await page.over(attempt)
    repository = daemon.root / "project"
    path = f"/api/task-attempts/{attempt['id']}"
    daemon.git(repository, "branch", "develop")
    target = {"new_target_branch": "develop", "status": [1, 0]}
    body = {"new_target_branch": "develop"}
    await page.ask("POST", f"{path}/change-target-branch", target, body)
    body = {"new_branch_name": "feature/dark-mode"}
    renamed = {"branch": "feature/dark-mode"}
    await page.ask("POST", f"{path}/rename-branch", renamed, body)
    await page.ask("POST", f"{path}/follow-up", PROCESS, {"prompt": "write src/unused.ts 1"})
    await page.over(attempt)
    await page.ask("POST", f"{path}/delete-file?file_path=src/unused.ts", None)
    worktree = Path(attempt["container_ref"])
    assert not (worktree / "src" / "unused.ts").exists()
    assert daemon.git(worktree, "status", "--porcelain") == ""

    bases = {"old_base_branch": None, "new_base_branch": None}
    await page.ask("POST", f"{path}/rebase", None, bases)
    daemon.git(repository, "checkout", "-q", "develop")
    (repository / "src").mkdir()
    (repository / "src" / "index.ts").write_text("theirs\n")
    daemon.git(repository, "add", "-A")
    daemon.git(repository, "commit", "-qm", "Theirs")
    conflicts = {
        "type": "merge_conflicts",
        "message": "Conflicts in src/index.ts",
        "op": "rebase",
    }
    await page.refused("POST", f"{path}/rebase", 409, conflicts, bases)
    status = {"is_rebase_in_progress": True, "conflicted_files": ["src/index.ts"]}
    await page.ask("GET", f"{path}/branch-status", {**status, "conflict_op": "rebase"})
    await page.ask("POST", f"{path}/conflicts/abort", None)
    await page.ask("GET", f"{path}/branch-status", {"is_rebase_in_progress": False})


async def test_merging(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt()
    await page.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}"
    await page.ask("POST", f"{path}/merge", None)
    repository = daemon.root / "project"
    assert (repository / "src" / "index.ts").read_text() == "1\n"
    assert len(daemon.git(repository, "log", "-1", "--format=%P").split()) == 2
    done = {**TASK, "status": "done", "has_merged_attempt": True}
    await page.ask("GET", f"/api/tasks/{attempt['task_id']}", done)
    merge = {"type": "direct", "merge_commit": OID}
    await page.ask("GET", f"{path}/branch-status", {"merges": [merge]})


async def test_dev_servers(page: ReferenceClient) -> None:
    attempt = await page.attempt(dev_script="exec sleep 600")
    await page.over(attempt)
    await page.ask("POST", f"/api/task-attempts/{attempt['id']}/start-dev-server", None)
    query = f"/api/execution-processes?task_attempt_id={attempt['id']}"
    running = {"run_reason": "devserver", "status": "running", "completed_at": None}
    newest = (await page.ask("GET", query, [PROCESS]))[0]
    assert misfits(newest, running) == []
    await page.ask("POST", f"/api/execution-processes/{newest['id']}/stop", None)
    stopped = {**PROCESS, "status": "killed", "completed_at": TIME}
    await page.ask("GET", f"/api/execution-processes/{newest['id']}", stopped)


async def test_drafts(page: ReferenceClient) -> None:
    attempt = await page.attempt("wait")
    path = f"/api/task-attempts/{attempt['id']}/draft"
    files = {"image": ("screenshot.png", png(), "image/png")}
    image = await page.ask("POST", "/api/images/upload", dict, files=files)
    empty = {**DRAFT, "prompt": "", "version": 0, "image_ids": []}
    await page.ask("GET", path, {**empty, "created_at": str, "updated_at": str})
    body = {
        "prompt": "Try implementing this with...",
        "variant": None,
        "image_ids": [image["id"]],
        "version": 1,
    }
    stored = {**DRAFT, **body, "draft_type": "follow_up", "queued": False}
    saved = await page.ask("PUT", path, stored, body)
    assert await page.ask("GET", path, stored) == saved
    await page.ask("PUT", path, {**DRAFT, "version": 2}, {**body, "prompt": "Better"})
    await page.ask("POST", f"{path}/queue", {**DRAFT, "queued": True, "prompt": "Better"})
    await page.ask("DELETE", path, None)
    await page.ask("GET", path, {"prompt": "", "queued": False})


async def test_the_streams_of_processes(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt("wait", setup_script="echo Installing dependencies...")
    stream = f"/api/execution-processes/stream/ws?task_attempt_id={attempt['id']}"
    created = {"type": "process_created", "data": PROCESS}
    async with daemon.socket(f"{stream}&show_soft_deleted=false&after=0") as socket:
        with trio.fail_after(TIMEOUT_S):
            assert misfits(json.loads(await socket.get_message()), created) == []
            agent = await daemon.running(attempt)
            while agent["run_reason"] != "codingagent":
                agent = await daemon.running(attempt)
            await page.ask("POST", f"/api/execution-processes/{agent['id']}/stop", None)
            seen: list[Any] = []
            while not seen or seen[-1]["data"]["status"] != "killed":
                seen.append(json.loads(await socket.get_message()))
    kinds = {"process_created", "process_updated", "process_completed"}
    assert misfits(seen, [{"type": kinds, "data": PROCESS}]) == []
    assert seen[-1]["type"] == "process_completed"

    setup = (await daemon.processes(attempt))[0]
    raw = f"/api/execution-processes/{setup['id']}/raw-logs/ws"
    value = {"type": "stdout", "content": "Installing dependencies...\n"}
    found = await page.frame(raw, {"op": "add", "path": str, "value": value})
    assert found["path"] == f"/{found['seq']}"


async def test_the_entries_of_an_agent(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt()
    process = await page.over(attempt)
    path = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
    entry = {"timestamp": TIME, "entry_type": {"type": str}, "content": str}
    frames: list[Any] = []
    with trio.fail_after(TIMEOUT_S):
        async with daemon.socket(path) as socket:
            try:
                while True:
                    frames.append(json.loads(await socket.get_message()))
            except ConnectionClosed:
                pass
    assert frames.pop() == {"finished": True}
    assert misfits(frames, [entry]) == []
    kinds = [frame["entry_type"]["type"] for frame in frames]
    assert set(kinds) >= {"user_message", "tool_use", "assistant_message"}
    use = {
        "type": "tool_use",
        "tool_name": "Write",
        "action_type": {"action": "file_edit", "path": "src/index.ts", "changes": [dict]},
        "status": {"status": "success"},
    }
    assert any(not misfits(frame["entry_type"], use) for frame in frames)


async def test_approvals(page: ReferenceClient, daemon: Daemon) -> None:
    attempt = await page.attempt("wait")
    await page.ask("POST", f"/api/task-attempts/{attempt['id']}/stop", None)
    await page.over(attempt)
    for given, there in (
        ({"status": "approved"}, True),
        ({"status": "denied", "reason": "Too risky"}, False),
    ):
        name = f"{given['status']}.txt"
        body = {"prompt": f"write {name} 1", "variant": "APPROVALS"}
        process = await page.ask(
            "POST", f"/api/task-attempts/{attempt['id']}/follow-up", PROCESS, body
        )
        question = await daemon.question()
        entries = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
        pending = {
            "status": "pending_approval",
            "approval_id": question["id"],
            "requested_at": TIME,
            "timeout_at": TIME,
        }
        await page.frame(entries, {"entry_type": {"type": "tool_use", "status": pending}})
        path = f"/api/approvals/{question['id']}/respond"
        answer = await daemon.request("POST", path, json={"status": given})
        assert answer.status_code == 200
        assert answer.json()["status"] == given["status"]
        await page.over(attempt)
        assert (Path(attempt["container_ref"]) / name).exists() == there
