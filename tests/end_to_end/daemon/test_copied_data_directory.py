"""Two daemons, the second on a copy of the data directory of the first, which is at work."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.support.daemon import Daemon, Refused


async def test_a_daemon_on_a_copy_leaves_the_work_of_the_first_alone(
    daemon: Daemon, tmp_path: Path
) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say before\nrun echo ran > ran.txt\nsay after")
    question = await daemon.question()
    process = await daemon.running(attempt)
    worktree = Path(attempt["container_ref"])
    (worktree / "mine.txt").write_text("mine\n")
    second = Daemon(tmp_path / "second")
    await trio.run_process(["cp", "-a", daemon.data, second.data])
    async with second:
        (seen,) = [
            one
            for one in await second.ask(
                "GET", f"/api/execution-processes?task_attempt_id={attempt['id']}"
            )
            if one["id"] == process["id"]
        ]
        assert seen["status"] == "killed"
        status = await second.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
        assert status["untracked_count"] == 1
        with pytest.raises(Refused) as refusal:
            await second.ask(
                "POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "go"}
            )
        assert (refusal.value.status, refusal.value.type) == (409, "worktree_elsewhere")
        assert str(daemon.data) in str(refusal.value)
        await second.ask("DELETE", f"/api/projects/{project['id']}")
    assert (worktree / "mine.txt").read_text() == "mine\n"
    answer = {"status": {"status": "approved"}}
    await daemon.ask("POST", f"/api/approvals/{question['id']}/respond", answer)
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert (worktree / "ran.txt").read_text() == "ran\n"
    status = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert status["commits_ahead"] == 1
