"""The main job, as clients see it: from a task to a merged branch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anyond.agents.common.recap import TASK_REMARK
from anyond.api.attempts import STREAM_DIFF, FollowedDiff
from anyond.model.http.frames import DiffReady, DiffRemoved
from tests.support.daemon import Daemon, Refused
from tests.support.real_agents.claude_cli import printed


async def test_from_a_task_to_a_merged_branch_with_a_follow_up_and_an_approval(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    project = await daemon.project(repository)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write hello.txt hello\nrun cat hello.txt\nsay done")
    assert attempt["container_ref"]
    question = await daemon.question()
    answer = await daemon.request(
        "POST", f"/api/approvals/{question['id']}/respond", json={"status": {"status": "approved"}}
    )
    assert answer.json()["status"] == "approved"
    assert answer.json()["success"] is True
    process = await daemon.over(attempt)
    assert (process["status"], process["exit_code"]) == ("completed", 0)
    assert process["after_head_commit"] != process["before_head_commit"]

    entries = await daemon.entries(process)
    kinds = [e["entry_type"]["type"] for e in entries]
    assert kinds[0] == "user_message"
    tools = {
        e["entry_type"]["action_type"]["action"]: e["entry_type"]["status"]["status"]
        for e in entries
        if e["entry_type"]["type"] == "tool_use"
    }
    assert tools == {"file_edit": "success", "command_run": "success"}
    assert "done" in [e["content"] for e in entries]
    assert all(e["timestamp"] for e in entries)

    second = await daemon.ask(
        "POST",
        f"/api/task-attempts/{attempt['id']}/follow-up",
        {"prompt": "recall\nwrite more.txt more"},
    )
    assert second["executor_action"]["typ"]["type"] == "CodingAgentFollowUpRequest"
    assert (await daemon.over(attempt))["id"] == second["id"]
    status = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert (status["commits_ahead"], status["commits_behind"]) == (2, 0)
    assert not status["has_uncommitted_changes"]

    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/merge")
    assert (repository / "hello.txt").read_text() == "hello\n"
    assert (repository / "more.txt").exists()
    assert daemon.git(repository, "status", "--porcelain") == ""
    assert len(daemon.git(repository, "log", "-1", "--format=%P").split()) == 2
    task = await daemon.ask("GET", f"/api/tasks/{attempt['task_id']}")
    assert task["status"] == "done"
    status = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert status["merges"][0]["type"] == "direct"
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/merge")
    assert refusal.value.type == "nothing_to_merge"


async def test_a_denied_permission_tells_the_reason_and_the_agent_goes_on(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "run touch forbidden\nsay after")
    question = await daemon.question()
    path = f"/api/approvals/{question['id']}/respond"
    no = {"status": {"status": "denied", "reason": "too risky"}}
    await daemon.ask("POST", path, no)
    await daemon.ask("POST", path, no)
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", path, {"status": {"status": "approved"}})
    assert refusal.value.status == 409
    entries = await daemon.entries(await daemon.over(attempt))
    tool = next(e for e in entries if e["entry_type"]["type"] == "tool_use")
    assert tool["entry_type"]["status"] == {"status": "denied", "reason": "too risky"}
    feedback = next(e for e in entries if e["entry_type"]["type"] == "user_feedback")
    assert feedback["content"] == "too risky"
    assert not (Path(attempt["container_ref"]) / "forbidden").exists()


async def test_setup_agent_and_cleanup_run_in_this_order_and_copied_files_stay_out_of_commits(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    (repository / ".env").write_text("SECRET=1\n")
    project = await daemon.project(
        repository,
        setup_script='echo setting up; cat .env > seen; test -n "$BASH_VERSION"',
        cleanup_script="echo cleaning; echo cleaned >> hello.txt",
        copy_files=".env",
    )
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write hello.txt hello")
    await daemon.over(attempt)
    rows = await daemon.processes(attempt)
    assert [(r["run_reason"], r["status"]) for r in rows] == [
        ("setupscript", "completed"),
        ("codingagent", "completed"),
        ("cleanupscript", "completed"),
    ]
    assert await daemon.raw(rows[0]) == "setting up\n"
    attempt = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}")
    assert attempt["setup_completed_at"]
    worktree = Path(attempt["container_ref"])
    assert (worktree / "seen").read_text() == "SECRET=1\n"
    assert (worktree / "hello.txt").read_text().endswith("cleaned\n")
    tracked = daemon.git(worktree, "ls-files").split()
    assert "hello.txt" in tracked
    assert ".env" not in tracked
    assert daemon.git(worktree, "status", "--porcelain") == ""
    script = (await daemon.entries(rows[2]))[0]["entry_type"]["action_type"]
    assert script["result"] == {
        "exit_status": {"type": "exit_code", "code": 0},
        "output": "cleaning\n",
    }


@pytest.mark.parametrize("button", ["follow-up", "draft", "replace-process"])
async def test_a_worktree_that_is_made_again_is_set_up_again(daemon: Daemon, button: str) -> None:
    repository = daemon.repository(**{".gitignore": "*.o\n"})
    (repository / "key.o").write_text("secret\n")
    setup = "cat key.o > made.o"
    project = await daemon.project(repository, setup_script=setup, copy_files="key.o")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write own.txt mine")
    process = await daemon.over(attempt)
    worktree = Path(attempt["container_ref"])
    shutil.rmtree(worktree)
    daemon.git(repository, "worktree", "prune")
    path = f"/api/task-attempts/{attempt['id']}"
    if button == "draft":
        await daemon.ask("PUT", f"{path}/draft", {"prompt": "write more.txt m"})
        await daemon.ask("POST", f"{path}/draft/queue", {"queued": True})
    else:
        body = {"prompt": "write more.txt m", "process_id": process["id"]}
        await daemon.ask("POST", f"{path}/{button}", body)
    await daemon.over(attempt)
    rows = [(r["run_reason"], r["status"]) for r in await daemon.processes(attempt)]
    assert rows[-2:] == [("setupscript", "completed"), ("codingagent", "completed")]
    assert (worktree / "made.o").read_text() == "secret\n"
    assert (worktree / "own.txt").exists() == (button != "replace-process")
    assert (worktree / "more.txt").exists()
    count = len(rows)
    await daemon.ask("POST", f"{path}/follow-up", {"prompt": "say x"})
    await daemon.over(attempt)
    assert [r["run_reason"] for r in await daemon.processes(attempt)][count:] == ["codingagent"]


@pytest.mark.parametrize("place", [".", "attempts"])
async def test_worktrees_inside_of_a_repository_are_no_part_of_it(
    daemon: Daemon, place: str
) -> None:
    repository = daemon.repository(**{".gitignore": ".env\n"})
    (repository / ".env").write_text("SECRET=1\n")
    await daemon.ask("PUT", "/api/config", {"workspace_dir": str(repository / place)})
    project = await daemon.project(repository, copy_files="**/.env, **/*.txt")
    await daemon.use_fake_agent()
    first = await daemon.attempt(project, "write own.txt mine")
    await daemon.over(first)
    second = await daemon.attempt(project, "write .gitignore-of-mine x\nwrite own.txt other")
    await daemon.over(second)
    for attempt in (first, second):
        worktree = Path(attempt["container_ref"])
        assert repository in worktree.parents
        assert (worktree / ".env").read_text() == "SECRET=1\n"
        assert [str(file.relative_to(worktree)) for file in worktree.rglob("*.txt")] == ["own.txt"]
        assert daemon.git(worktree, "ls-files", "own.txt")
    assert daemon.git(repository, "status", "--porcelain") == ""
    await daemon.ask("POST", f"/api/task-attempts/{first['id']}/merge")
    assert (repository / "own.txt").read_text() == "mine\n"
    assert daemon.git(repository, "status", "--porcelain") == ""


async def test_a_place_where_no_worktrees_can_be_made_is_named(daemon: Daemon) -> None:
    place = daemon.root / "workspace"
    await daemon.ask("PUT", "/api/config", {"workspace_dir": str(place)})
    place.write_text("in the way\n")
    project = await daemon.project()
    await daemon.use_fake_agent()
    with pytest.raises(Refused) as refusal:
        await daemon.attempt(project, "say hi")
    assert (refusal.value.status, refusal.value.body["error_data"]["field"]) == (
        422,
        "workspace_dir",
    )
    assert str(place) in refusal.value.body["message"]
    assert await daemon.ask("GET", f"/api/tasks?project_id={project['id']}") == []


async def test_a_repository_that_an_agent_makes_in_the_worktree_is_told_of(daemon: Daemon) -> None:
    repository = daemon.repository()
    project = await daemon.project(
        repository,
        setup_script="for name in one two; do git init -q $name; echo x > $name/file; done;"
        " cd two && git add -A && git commit -qm Own",
    )
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write own.txt mine")
    process = await daemon.over(attempt)

    async def reported() -> list[str]:
        entries = await daemon.entries(await daemon.over(attempt))
        errors = (e for e in entries if e["entry_type"]["type"] == "error_message")
        return [e["content"].partition(" ")[0] for e in errors]

    assert process["status"] == "completed"
    assert await reported() == ["one", "two"]
    (Path(attempt["container_ref"]) / "one" / "file").write_text("y\n")
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": "run rm -rf one/.git"})
    question = await daemon.question()
    answer = {"status": {"status": "approved"}}
    await daemon.ask("POST", f"/api/approvals/{question['id']}/respond", answer)
    assert await reported() == []
    assert daemon.git(Path(attempt["container_ref"]), "show", "HEAD:one/file") == "y\n"


async def test_a_new_file_that_is_very_large_is_told_of_and_gets_into_no_commit(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    dump = f"dd if=/dev/zero of=core.dump bs=1 count=0 seek={101 * 1024**2}"
    project = await daemon.project(repository, setup_script=dump)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write own.txt mine")
    process = await daemon.over(attempt)
    assert process["status"] == "completed"
    errors = [e["content"] for e in await daemon.entries(process)
              if e["entry_type"]["type"] == "error_message"]  # fmt: skip
    assert [text.startswith("core.dump has 101 MiB.") for text in errors] == [True]
    path = f"/api/task-attempts/{attempt['id']}"
    worktree = Path(attempt["container_ref"])
    for button in ("", "merge"):
        if button:
            await daemon.ask("POST", f"{path}/{button}")
        assert daemon.git(worktree, "status", "--porcelain") == "?? core.dump\n"
        assert (await daemon.ask("GET", f"{path}/branch-status"))["untracked_count"] == 1
    assert (repository / "own.txt").exists()
    assert not (repository / "core.dump").exists()
    refs = daemon.git(repository, "for-each-ref", "--format=%(refname)", "refs/anyon/snapshots")
    assert daemon.git(repository, "cat-file", "-s", f"{refs.split()[-1]}:core.dump").strip() == (
        str(101 * 1024**2)
    )


async def test_a_file_that_git_cannot_store_is_told_of(daemon: Daemon) -> None:
    project = await daemon.project(setup_script="echo x > 'git~1'")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write own.txt mine")
    process = await daemon.over(attempt)
    assert printed(await daemon.entries(process), "error_message") == [
        "git~1 has a name or contents that git refuses to store, so it is not committed and will "
        "not be merged: it is only in the worktree, and is set aside in Anyon's data directory "
        "when that is deleted."
    ]
    worktree = Path(attempt["container_ref"])
    assert daemon.git(worktree, "status", "--porcelain") == "?? git~1\n"
    assert daemon.git(worktree, "show", "HEAD:own.txt") == "mine\n"


async def test_a_failing_setup_script_ends_the_chain_and_says_why(daemon: Daemon) -> None:
    project = await daemon.project(setup_script="echo broken >&2; exit 7", cleanup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say never")
    process = await daemon.over(attempt)
    assert (process["run_reason"], process["status"], process["exit_code"]) == (
        "setupscript",
        "failed",
        7,
    )
    listed = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
    assert (listed[0]["status"], listed[0]["last_attempt_failed"]) == ("inreview", True)
    assert await daemon.raw(process) == "broken\n"
    # The agent can still be asked, and is told what nobody has asked it yet.
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "told"})
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    assert printed(entries, "system_message")[0] == TASK_REMARK
    assert printed(entries, "user_message") == ["told"]
    assert printed(entries)[0].endswith("say never")
    # It knows now.
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "told"})
    assert "say never" not in "".join(printed(await daemon.entries(await daemon.over(attempt))))


async def test_a_failing_agent_ends_the_chain_before_its_cleanup(daemon: Daemon) -> None:
    project = await daemon.project(cleanup_script="touch cleaned")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write half.txt x\nfail out of tea")
    process = await daemon.over(attempt)
    assert (process["run_reason"], process["status"]) == ("codingagent", "failed")
    listed = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
    assert (listed[0]["status"], listed[0]["last_attempt_failed"]) == ("inreview", True)
    assert len(await daemon.processes(attempt)) == 1
    worktree = Path(attempt["container_ref"])
    assert (worktree / "half.txt").exists()
    assert not (worktree / "cleaned").exists()


async def test_a_missing_program_is_an_error_and_a_log_that_says_how_to_install_it(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    daemon.environment["PATH"] = "/usr/bin:/bin"
    await daemon.stop()
    await daemon.start()
    body = {
        "task": {"project_id": project["id"], "title": "T"},
        "executor_profile_id": {"executor": "CLAUDE_CODE"},
        "base_branch": "main",
    }
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", "/api/tasks/create-and-start", body)
    assert refusal.value.status == 422
    assert refusal.value.type == "program_missing"
    task = (await daemon.ask("GET", f"/api/tasks?project_id={project['id']}"))[0]
    attempt = (await daemon.ask("GET", f"/api/task-attempts?task_id={task['id']}"))[0]
    process = await daemon.over(attempt)
    assert process["status"] == "failed"
    (entry,) = await daemon.entries(process)
    assert entry["entry_type"] == {
        "type": "error_message",
        "error_type": {"type": "setup_required"},
    }
    for word in ("claude", "/usr/bin", "npm install"):
        assert word in entry["content"]
    assert "claude" in await daemon.raw(process)


async def test_a_retry_goes_back_to_where_the_process_began_and_keeps_a_way_back(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    project = await daemon.project(repository)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write one.txt 1")
    first = await daemon.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": "write two.txt 2"})
    second = await daemon.over(attempt)
    worktree = Path(attempt["container_ref"])
    (worktree / "one.txt").write_text("touched\n")
    retry = {"prompt": "write three.txt 3", "retry_process_id": second["id"]}
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", path, retry)
    assert refusal.value.type == "dirty"
    await daemon.ask("POST", path, {**retry, "force_when_dirty": True})
    third = await daemon.over(attempt)
    assert third["before_head_commit"] == second["before_head_commit"]
    assert (worktree / "one.txt").read_text() == "1\n"
    assert not (worktree / "two.txt").exists()
    assert (worktree / "three.txt").exists()
    listed = [p["id"] for p in await daemon.processes(attempt)]
    assert listed == [first["id"], third["id"]]
    everything = await daemon.ask(
        "GET",
        f"/api/execution-processes?task_attempt_id={attempt['id']}&show_soft_deleted=true",
    )
    assert [p["id"] for p in everything if p["dropped"]] == [second["id"]]
    refs = daemon.git(repository, "for-each-ref", "refs/anyon/snapshots", "--format=%(refname)")
    snapshot = refs.split()[0]
    assert daemon.git(repository, "show", f"{snapshot}:one.txt") == "touched\n"


async def test_an_attempt_at_work_refuses_everyone_else(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "ask")
    await daemon.question()
    for path, body in (
        ("follow-up", {"prompt": "say x"}),
        ("merge", None),
    ):
        with pytest.raises(Refused) as refusal:
            await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/{path}", body)
        assert (refusal.value.status, refusal.value.type) == (409, "busy")
    with pytest.raises(Refused) as refusal:
        await daemon.ask("DELETE", f"/api/tasks/{attempt['task_id']}")
    assert refusal.value.status == 409
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    process = await daemon.over(attempt)
    assert process["status"] == "killed"
    answer = await daemon.request("DELETE", f"/api/tasks/{attempt['task_id']}")
    assert answer.status_code == 202

    async def gone() -> bool:
        return not Path(attempt["container_ref"]).exists()

    await daemon.until(gone, "the removal of the worktree")
    refs = daemon.git(Path(project["git_repo_path"]), "for-each-ref", "refs/anyon/snapshots")
    assert attempt["id"] in refs


async def test_the_diff_stream_follows_the_worktree(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write a.txt one")
    await daemon.over(attempt)
    worktree = Path(attempt["container_ref"])
    followed = FollowedDiff(task_attempt_id=attempt["id"])
    async with daemon.api() as client, client.follow(STREAM_DIFF, followed) as frames:
        first = await anext(frames)
        assert (first.data.new_path, first.data.new_content) == ("a.txt", "one\n")
        assert isinstance(await anext(frames), DiffReady)
        (worktree / "b.txt").write_text("new\n")
        frame = await anext(frames)
        assert (frame.data.change, frame.data.new_path) == ("added", "b.txt")
        (worktree / "b.txt").unlink()
        frame = await anext(frames)
        assert isinstance(frame, DiffRemoved)
        assert frame.data.path == "b.txt"


async def test_everything_that_happens_is_an_event_with_a_position(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    events: list[tuple[int, str]] = []
    assert daemon._http is not None
    async with daemon._http.stream("GET", "/api/events?after=0") as stream:
        kind, position = "", 0
        async for line in stream.aiter_lines():
            if line.startswith("event:"):
                kind = line.split(":", 1)[1].strip()
            elif line.startswith("id:"):
                position = int(line.split(":", 1)[1])
            elif line == "" and kind:
                events.append((position, kind))
                if kind == "process_completed":
                    break
                kind = ""
    kinds = [kind for _, kind in events]
    for expected in ("task_created", "attempt_created", "attempt_updated", "process_started"):
        assert expected in kinds
    positions = [position for position, _ in events]
    assert positions == sorted(set(positions))
