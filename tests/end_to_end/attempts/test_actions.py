"""The buttons of an attempt: rebase, branches, files, commits, retries."""

from __future__ import annotations

import os

import pytest

from anyond.api.attempts import STREAM_DIFF, FollowedDiff
from anyond.model.http.frames import DiffReady
from tests.support.daemon import Daemon, Refused
from tests.support.worked_attempt import SERVER, WorkedAttempt, worked_attempt


async def conflicting(daemon: Daemon) -> WorkedAttempt:
    at = await worked_attempt(daemon)
    at.land(own="theirs\n")
    refusal = await at.refused("rebase")
    assert refusal.status == 409
    assert refusal.body["error_data"] == {
        "type": "merge_conflicts",
        "message": "Conflicts in own.txt",
        "op": "rebase",
        "files": ["own.txt"],
    }
    return at


async def test_a_rebase_puts_the_attempt_on_the_new_target_and_the_diff_follows(
    daemon: Daemon,
) -> None:
    at = await worked_attempt(daemon)
    daemon.git(at.repository, "branch", "develop")
    at.land("develop", other="o\n")
    followed = FollowedDiff(task_attempt_id=at.attempt["id"])
    async with daemon.api() as client, client.follow(STREAM_DIFF, followed) as frames:
        assert (await anext(frames)).data.new_path == "own.txt"
        assert isinstance(await anext(frames), DiffReady)
        assert (
            await at.press("rebase", {"old_base_branch": None, "new_base_branch": "develop"})
            is None
        )
        assert (await at.row())["target_branch"] == "develop"
        assert (at.worktree / "other.txt").exists()
        (at.worktree / "own.txt").write_text("again\n")
        assert (await anext(frames)).data.new_path == "own.txt"  # and nothing of what the base has
    status = await at.look("branch-status")
    assert (status["commits_ahead"], status["commits_behind"]) == (1, 0)
    assert at.snapshots() == ["rebase"]
    refusal = await at.refused("rebase")
    assert (refusal.status, refusal.type) == (409, "dirty")


async def test_a_conflict_is_resolved_by_the_agent_and_only_then_the_target_changes(
    daemon: Daemon,
) -> None:
    at = await worked_attempt(daemon)
    daemon.git(at.repository, "branch", "develop")
    onto = at.land("develop", own="theirs\n")
    refusal = await at.refused("rebase", {"new_base_branch": "develop"})
    assert refusal.type == "merge_conflicts"
    status = await at.look("branch-status")
    assert status["is_rebase_in_progress"]
    assert (status["conflict_op"], status["conflicted_files"]) == ("rebase", ["own.txt"])
    assert (await at.refused("rebase")).type == "rebase_in_progress"
    assert (
        await at.refused("rename-branch", {"new_branch_name": "x"})
    ).type == "rebase_in_progress"
    assert (await at.row())["target_branch"] == "main"
    await daemon.stop()
    await daemon.start()
    assert (await at.row())["target_branch"] == "main"
    go_on = "run echo both > own.txt && git add -A && GIT_EDITOR=true git rebase --continue"
    await at.press("follow-up", {"prompt": go_on})
    question = await daemon.question()
    path = f"/api/approvals/{question['id']}/respond"
    await daemon.ask("POST", path, {"status": {"status": "approved"}})
    await daemon.over(at.attempt)
    assert (await at.row())["target_branch"] == "develop"
    assert at.git("rev-parse", "HEAD~1") == onto
    assert not (await at.look("branch-status"))["is_rebase_in_progress"]


@pytest.mark.parametrize("how", ["continue", "abort"])
async def test_a_rebase_that_a_person_ends_in_a_terminal_is_noticed(
    daemon: Daemon, how: str
) -> None:
    at = await worked_attempt(daemon)
    daemon.git(at.repository, "branch", "develop")
    at.land("develop", own="theirs\n")
    await at.refused("rebase", {"new_base_branch": "develop"})
    (at.worktree / "own.txt").write_text("both\n")
    at.git("add", "-A")
    at.git("-c", "core.editor=true", "rebase", f"--{how}")
    expected = "develop" if how == "continue" else "main"
    assert (await at.look("branch-status"))["target_branch_name"] == expected
    assert (await at.row())["target_branch"] == expected


@pytest.mark.parametrize("staged", [True, False])
async def test_abort_restores_exactly_what_was_before(daemon: Daemon, staged: bool) -> None:
    at = await conflicting(daemon)
    before = at.git("rev-parse", "ORIG_HEAD")
    if staged:
        (at.worktree / "own.txt").write_text("resolved\n")
        at.git("add", "-A")
    assert await at.press("conflicts/abort") is None
    assert at.git("symbolic-ref", "--short", "HEAD") == at.attempt["branch"]
    assert at.git("rev-parse", "HEAD") == before
    assert at.git("status", "--porcelain") == ""
    assert (await at.row())["target_branch"] == "main"
    assert await at.press("conflicts/abort") is None
    assert at.snapshots() == ["rebase", "abort"]


async def test_a_base_that_is_not_there_is_named(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    for field in ("new_base_branch", "old_base_branch"):
        refusal = await at.refused("rebase", {field: "nothing"})
        assert refusal.status == 422
        assert "nothing" in refusal.body["message"]
    assert at.snapshots() == []


async def test_another_target_is_compared_at_once_and_must_exist(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    daemon.git(at.repository, "branch", "develop")
    at.land("develop", one="1\n")
    at.land("develop", two="2\n")
    answer = await at.press("change-target-branch", {"new_target_branch": "develop"})
    assert answer == {"new_target_branch": "develop", "status": [1, 2]}
    assert (await at.row())["target_branch"] == "develop"
    for wrong in ("nothing", at.attempt["branch"]):
        refusal = await at.refused("change-target-branch", {"new_target_branch": wrong})
        assert refusal.status == 422
    assert (await at.refused("change-target-branch", {"new_target_branch": " "})).status == 400
    assert (await at.row())["target_branch"] == "develop"


async def test_a_target_chosen_during_a_rebase_stays_when_that_is_finished(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    for name in ("develop", "release"):
        daemon.git(at.repository, "branch", name)
    at.land("develop", own="theirs\n")
    await at.refused("rebase", {"new_base_branch": "develop"})
    await at.press("change-target-branch", {"new_target_branch": "release"})
    (at.worktree / "own.txt").write_text("both\n")
    at.git("add", "-A")
    at.git("-c", "core.editor=true", "rebase", "--continue")
    assert (await at.look("branch-status"))["target_branch_name"] == "release"


async def test_a_renamed_branch_is_followed_by_the_worktree_and_by_children(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    child = await daemon.ask(
        "POST",
        "/api/tasks/create-and-start",
        {
            "task": {
                "project_id": (await daemon.ask("GET", "/api/projects"))[0]["id"],
                "title": "Child",
                "description": "write child.txt c",
                "parent_task_attempt": at.attempt["id"],
            },
            "executor_profile_id": {"executor": "ACP"},
            "base_branch": at.attempt["branch"],
        },
    )
    (born,) = await daemon.ask("GET", f"/api/task-attempts?task_id={child['id']}")
    await daemon.over(born)
    answer = await at.press("rename-branch", {"new_branch_name": " feature/dark-mode "})
    assert answer == {"branch": "feature/dark-mode"}
    assert (await at.row())["branch"] == "feature/dark-mode"
    assert at.git("symbolic-ref", "--short", "HEAD") == "feature/dark-mode"
    assert (await daemon.ask("GET", f"/api/task-attempts/{born['id']}"))["target_branch"] == (
        "feature/dark-mode"
    )
    assert await at.press("rename-branch", {"new_branch_name": "feature/dark-mode"}) == answer
    for taken in ("main", born["branch"]):
        refusal = await at.refused("rename-branch", {"new_branch_name": taken})
        assert (refusal.status, refusal.type) == (409, "name_taken")
    for wrong in ("a..b", "refs/heads/dark-mode", "heads/dark-mode"):
        refusal = await at.refused("rename-branch", {"new_branch_name": wrong})
        assert (refusal.status, refusal.body["error_data"]["field"]) == (400, "new_branch_name")

    found = await at.look("children")
    assert found["parent_task"] is None
    assert found["current_attempt"]["id"] == at.attempt["id"]
    assert [task["id"] for task in found["children"]] == [child["id"]]
    found = await daemon.ask("GET", f"/api/task-attempts/{born['id']}/children")
    assert found["parent_task"]["id"] == at.attempt["task_id"]
    assert found["children"] == []

    # its work lands in the parent's worktree, so nobody may be at work there
    await at.press("follow-up", {"prompt": "ask"})
    await daemon.question()
    with pytest.raises(Refused) as refusal_of_merge:
        await daemon.ask("POST", f"/api/task-attempts/{born['id']}/merge")
    assert (refusal_of_merge.value.status, refusal_of_merge.value.type) == (409, "busy")
    await at.press("stop")
    await daemon.ask("POST", f"/api/task-attempts/{born['id']}/merge")
    assert (at.worktree / "child.txt").read_text() == "c\n"
    assert at.git("status", "--porcelain") == ""


async def test_a_file_is_deleted_with_a_commit_and_paths_elsewhere_are_not_touched(
    daemon: Daemon,
) -> None:
    at = await worked_attempt(daemon)
    outside = at.worktree.parent / "outside.txt"
    outside.write_text("theirs\n")
    assert await at.press("delete-file?file_path=own.txt") is None
    assert at.git("log", "-1", "--format=%s") == "Delete own.txt"
    assert not (at.worktree / "own.txt").exists()
    assert at.snapshots() == ["delete-file"]
    for wrong in ("../outside.txt", str(outside), ".git", "", "README.md/.."):
        assert (await at.refused(f"delete-file?file_path={wrong}")).status == 400
    assert (await at.refused("delete-file")).status == 400
    for missing in ("nothing.txt", "x" * 5000, "README.md/x"):
        assert (await at.refused(f"delete-file?file_path={missing}")).status == 404
    assert outside.read_text() == "theirs\n"
    assert (at.worktree / ".git").exists()


async def test_commits_are_found_by_any_name_and_compared_with_head(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    await at.press("follow-up", {"prompt": "write more.txt more"})
    await daemon.over(at.attempt)
    head, first = at.git("rev-parse", "HEAD"), at.git("rev-parse", "main")
    info = await at.look(f"commit-info?sha={head[:9]}")
    assert info == {"sha": head, "subject": "Do it"}
    compared = await at.look("commit-compare?sha=main")
    assert compared == {
        "head_oid": head,
        "target_oid": first,
        "ahead_from_head": 0,
        "behind_from_head": 2,
        "is_linear": True,
    }
    at.land(other="o\n")
    compared = await at.look("commit-compare?sha=main")
    assert (compared["ahead_from_head"], compared["behind_from_head"]) == (1, 2)
    assert compared["is_linear"] is False
    for path, status in (("commit-info?sha=nothing", 404), ("commit-compare", 400)):
        with pytest.raises(Refused) as refusal:
            await at.look(path)
        assert refusal.value.status == status


async def test_a_replaced_process_is_dropped_with_all_later_ones(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    await at.press("follow-up", {"prompt": "write two.txt 2"})
    second = await daemon.over(at.attempt)
    await at.press("follow-up", {"prompt": "write three.txt 3"})
    await daemon.over(at.attempt)
    first = (await daemon.processes(at.attempt))[0]
    (at.worktree / "own.txt").write_text("touched\n")
    needed = {"process_id": second["id"], "prompt": "recall\nwrite other.txt o", "variant": None}
    assert (await at.refused("replace-process", needed)).type == "dirty"
    answer = await at.press("replace-process", {**needed, "force_when_dirty": True})
    last = await daemon.over(at.attempt)
    assert answer == {
        "deleted_count": 2,
        "git_reset_needed": True,
        "git_reset_applied": True,
        "target_before_oid": second["before_head_commit"],
        "new_execution_id": last["id"],
    }
    assert [p["id"] for p in await daemon.processes(at.attempt)] == [first["id"], last["id"]]
    assert sorted(os.listdir(at.worktree)) == [".git", "README.md", "other.txt", "own.txt"]
    assert (at.worktree / "own.txt").read_text() == "mine\n"
    assert at.snapshots() == ["retry"]
    again = await at.press(
        "replace-process",
        {"process_id": last["id"], "prompt": "say x", "perform_git_reset": False},
    )
    assert (again["deleted_count"], again["git_reset_needed"]) == (1, True)
    assert not again["git_reset_applied"]
    await daemon.over(at.attempt)
    refusal = await at.refused("replace-process", {**needed, "prompt": "say y"})
    assert (refusal.status, refusal.type) == (409, "dropped")


async def test_an_agent_without_a_setup_helper_says_so(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    body = {"executor_profile_id": {"executor": "ACP", "variant": None}}
    refusal = await at.refused("run-agent-setup", body)
    assert (refusal.status, refusal.type) == (422, "setup_not_supported")


async def test_while_an_agent_works_the_buttons_that_write_are_refused(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, dev_script=SERVER)
    first = (await daemon.processes(at.attempt))[0]
    await at.press("follow-up", {"prompt": "ask"})
    await daemon.question()
    setup = {"executor_profile_id": {"executor": "ACP"}}
    for button, body in (
        ("rebase", None),
        ("conflicts/abort", None),
        ("rename-branch", {"new_branch_name": "x"}),
        ("delete-file?file_path=own.txt", None),
        ("replace-process", {"process_id": first["id"], "prompt": "say x"}),
        ("run-agent-setup", setup),
    ):
        refusal = await at.refused(button, body)
        assert (refusal.status, refusal.type) == (409, "busy"), button
    assert at.snapshots() == []
    await at.press("stop")


async def test_unknown_attempts_are_404_and_malformed_ids_400(daemon: Daemon) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for method, button, body in (
        ("POST", "rebase", None),
        ("POST", "conflicts/abort", None),
        ("POST", "change-target-branch", {"new_target_branch": "main"}),
        ("POST", "rename-branch", {"new_branch_name": "x"}),
        ("POST", "open-editor", None),
        ("POST", "delete-file?file_path=x", None),
        ("POST", "start-dev-server", None),
        ("GET", "children", None),
        ("GET", "commit-info?sha=x", None),
        ("GET", "commit-compare?sha=x", None),
        ("POST", "replace-process", {"process_id": nobody, "prompt": "x"}),
        ("POST", "run-agent-setup", {"executor_profile_id": {"executor": "ACP"}}),
    ):
        for id, status in ((nobody, 404), ("x", 400)):
            with pytest.raises(Refused) as refusal:
                await daemon.ask(method, f"/api/task-attempts/{id}/{button}", body)
            assert refusal.value.status == status, button
