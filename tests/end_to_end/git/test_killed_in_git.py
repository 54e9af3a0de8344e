"""A daemon that is killed with -9 while its git is at work."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest
import trio

from tests.support.daemon import Daemon
from tests.support.worked_attempt import worked_attempt


@pytest.mark.parametrize("button", ["rebase", "merge"])
async def test_what_git_was_at_when_the_daemon_was_killed_is_finished(
    daemon: Daemon, button: str
) -> None:
    """Git says something before and after: who writes into a pipe of the dead is ended."""
    at = await worked_attempt(daemon)
    repository, begun = at.repository, daemon.root / "begun"
    (at.worktree / "mine.slow").write_text("mine\n")
    at.git("add", "-A")
    at.git("commit", "-qm", "mine")
    (repository / "theirs.slow").write_text("theirs\n")
    daemon.git(repository, "add", "-A")
    daemon.git(repository, "commit", "-qm", "theirs")
    (repository / ".git" / "info" / "attributes").write_text("*.slow filter=slow\n")
    loud = f"echo loud >&2; touch '{begun}'; sleep 1; echo loud >&2; cat"
    daemon.git(repository, "config", "filter.slow.smudge", loud)

    async def press() -> None:
        body: dict[str, str] | None = {} if button == "rebase" else None
        with suppress(httpx.HTTPError, RuntimeError):  # the daemon is gone
            await daemon.request("POST", f"{at.path}/{button}", json=body)

    async def reached() -> bool:
        return begun.exists()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        await daemon.until(reached, "git")
        await daemon.kill()
    daemon.git(repository, "config", "--unset", "filter.slow.smudge")
    await daemon.start()
    status = await at.look("branch-status")
    assert not status["is_rebase_in_progress"]
    row = await at.row()
    assert at.git("symbolic-ref", "--short", "HEAD") == row["branch"]
    assert (at.worktree / "mine.slow").read_text() == "mine\n"
    assert at.git("status", "--porcelain") == ""
    assert daemon.git(repository, "status", "--porcelain") == ""
    if button == "rebase":
        assert (at.worktree / "theirs.slow").read_text() == "theirs\n"
    else:
        assert (repository / "mine.slow").read_text() == "mine\n"
        assert len(status["merges"]) == 1
        task = await daemon.ask("GET", f"/api/tasks/{at.attempt['task_id']}")
        assert task["status"] == "done"
