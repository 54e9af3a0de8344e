"""What is broken outside of the daemon must not break the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.support.daemon import Daemon, Refused


async def test_a_damaged_worktree_ends_its_diff_stream_and_nothing_else(daemon: Daemon) -> None:
    attempt = await daemon.attempt(await daemon.project(), "Hello", "DEMO")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    linked = (Path(attempt["container_ref"]) / ".git").read_text().removeprefix("gitdir: ").strip()
    (Path(linked) / "index").write_bytes(b"no index")
    async with daemon.socket(f"/api/task-attempts/{attempt['id']}/diff/ws") as stream:
        with trio.fail_after(30), pytest.raises(ConnectionClosed) as closed:
            await stream.get_message()
    reason = closed.value.reason
    assert reason is not None
    assert reason.code == 1011
    assert (reason.reason or "").startswith("git ")
    with pytest.raises(Refused):
        await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert (await daemon.request("GET", "/health")).status_code == 200
    assert "Traceback" not in daemon.log()


async def test_a_repository_that_is_away_is_said_to_be(daemon: Daemon) -> None:
    repository = daemon.repository()
    attempt = await daemon.attempt(await daemon.project(repository), "Hello", "DEMO")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    repository.rename(daemon.root / "elsewhere")
    status = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert str(repository) in status["unknown"]["commits_ahead"]
    async with daemon.socket(f"/api/task-attempts/{attempt['id']}/diff/ws") as stream:
        with trio.fail_after(30), pytest.raises(ConnectionClosed):
            await stream.get_message()
    assert "Traceback" not in daemon.log()


async def test_a_branch_called_as_the_prefix_of_all_others_is_named_before_anything_is_written(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    daemon.git(repository, "branch", "anyon")
    project = await daemon.project(repository)
    with pytest.raises(Refused, match="The branch anyon is in the way") as refusal:
        await daemon.attempt(project, "Hello", "DEMO")
    assert refusal.value.type == "name_taken"
    assert await daemon.ask("GET", f"/api/tasks?project_id={project['id']}") == []
