"""What becomes of an attempt in whose worktree somebody has checked out something else."""

from __future__ import annotations

import pytest

from tests.support.daemon import Daemon
from tests.support.worked_attempt import WorkedAttempt, worked_attempt


async def elsewhere(at: WorkedAttempt, how: str) -> str:
    """Check out something else in the worktree, with a file in no commit; what is there."""
    at.daemon.git(at.repository, "branch", "develop")
    at.land("develop", theirs="t\n")
    if how == "detached":
        at.git("checkout", "-q", "--detach")
        at.git("commit", "-q", "--allow-empty", "-m", "On no branch")
    else:
        at.git("checkout", "-q", "develop")
    (at.worktree / "left.txt").write_text("left\n")
    return at.git("rev-parse", "HEAD")


@pytest.mark.parametrize("how", ["detached", "another branch"])
async def test_what_is_somewhere_else_is_neither_merged_nor_taken_for_merged(
    daemon: Daemon, how: str
) -> None:
    at = await worked_attempt(daemon)
    daemon.git(at.repository, "init", "-q", "--bare", "../hub.git")
    daemon.git(at.repository, "remote", "add", "origin", "../hub.git")
    there, main = await elsewhere(at, how), daemon.git(at.repository, "rev-parse", "main")
    for button in ("merge", "push", "rebase", "delete-file?file_path=left.txt"):
        refusal = await at.refused(button)
        assert (refusal.status, refusal.type) == (409, "off_branch"), button
        assert at.attempt["branch"] in refusal.body["message"]
    assert daemon.git(at.repository, "rev-parse", "main") == main
    assert at.git("rev-parse", "HEAD") == there
    assert at.git("status", "--porcelain") == "?? left.txt"
    assert (await daemon.ask("GET", f"/api/tasks/{at.attempt['task_id']}"))["status"] == "inreview"
    at.git("checkout", "-q", at.attempt["branch"])
    await at.press("merge")
    assert (at.repository / "left.txt").exists()


@pytest.mark.parametrize("how", ["detached", "another branch"])
async def test_an_agent_that_works_somewhere_else_is_told_of_and_left_alone(
    daemon: Daemon, how: str
) -> None:
    at = await worked_attempt(daemon)
    there = await elsewhere(at, how)
    await at.press("follow-up", {"prompt": "write more.txt m"})
    process = await daemon.over(at.attempt)
    assert process["status"] == "completed"
    assert at.git("rev-parse", "HEAD") == there
    assert at.git("status", "--porcelain").split() == ["??", "left.txt", "??", "more.txt"]
    last = (await daemon.entries(process))[-1]
    assert last["entry_type"]["type"] == "error_message"
    assert at.attempt["branch"] in last["content"]


@pytest.mark.parametrize("how", ["detached", "another branch"])
async def test_going_back_is_to_the_attempts_branch_and_moves_no_other(
    daemon: Daemon, how: str
) -> None:
    at = await worked_attempt(daemon)
    there = await elsewhere(at, how)
    develop = at.git("rev-parse", "develop")
    (first,) = await daemon.processes(at.attempt)
    await at.press("replace-process", {"process_id": first["id"], "prompt": "write new.txt n"})
    await daemon.over(at.attempt)
    assert at.git("symbolic-ref", "--short", "HEAD") == at.attempt["branch"]
    assert at.git("rev-parse", "HEAD~1") == first["before_head_commit"]
    assert at.git("rev-parse", "develop") == develop
    assert at.git("rev-parse", f"{at.snapshot_refs}1~1") == there
    assert (at.worktree / "left.txt").exists()


async def test_a_branch_that_is_checked_out_elsewhere_does_not_go_back(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    there = await elsewhere(at, "detached")
    daemon.git(at.repository, "checkout", "-q", at.attempt["branch"])
    (first,) = await daemon.processes(at.attempt)
    expected = {"process_id": first["id"], "prompt": "say x"}
    refusal = await at.refused("replace-process", expected)
    assert (refusal.status, refusal.type) == (409, "branch_checked_out")
    assert at.git("rev-parse", "HEAD") == there
    assert daemon.git(at.repository, "status", "--porcelain") == ""


async def test_a_branch_that_was_deleted_is_made_again_by_going_back(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    await elsewhere(at, "another branch")
    daemon.git(at.repository, "branch", "-q", "-D", at.attempt["branch"])
    (first,) = await daemon.processes(at.attempt)
    await at.press("replace-process", {"process_id": first["id"], "prompt": "write new.txt n"})
    await daemon.over(at.attempt)
    await at.press("merge")
    assert (at.repository / "new.txt").exists()


@pytest.mark.parametrize("who", ["person", "agent"])
async def test_a_branch_that_somebody_has_renamed_is_followed(daemon: Daemon, who: str) -> None:
    at = await worked_attempt(daemon)
    old, new = at.attempt["branch"], "feature/tea"
    await at.press("follow-up", {"prompt": "silent"})
    at.git("branch", "-m", "feature/coffee")
    at.git("branch", "-m", new)
    (at.worktree / "left.txt").write_text("left\n")
    await at.press("stop")
    if who == "agent":
        await at.press("follow-up", {"prompt": "say done"})
        await daemon.over(at.attempt)
        assert at.git("log", "-1", "--format=%s %D").endswith(f"HEAD -> {new}")
        assert at.git("status", "--porcelain") == ""
        ahead = 2
    else:
        ahead = 1
    status = await at.look("branch-status")
    assert (status["commits_ahead"], status["commits_behind"]) == (ahead, 0)
    assert (await at.row())["branch"] == new
    await at.press("merge")
    assert (at.repository / "left.txt").exists()
    assert old not in daemon.git(at.repository, "branch", "--list", "--all")


async def test_another_branch_is_not_taken_for_a_new_name(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    at.git("checkout", "-q", "-b", "other")
    daemon.git(at.repository, "branch", "-q", "-D", at.attempt["branch"])
    assert (await at.look("branch-status"))["commits_ahead"] == 0
    assert (await at.refused("merge")).type == "off_branch"
    assert (await at.row())["branch"] == at.attempt["branch"]
