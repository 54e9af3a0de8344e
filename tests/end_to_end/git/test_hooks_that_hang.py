"""A hook of git that never ends holds up nobody who wants to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from anyond.actors.attempt import LAST_SECONDS
from tests.support.daemon import Daemon


def hanging(daemon: Daemon, repository: Path, name: str) -> None:
    hook = repository / ".git" / "hooks" / name
    hook.write_text(f"#!/bin/sh\ntouch '{daemon.root / name}'\nsleep 600\n")
    hook.chmod(0o755)


async def reached(daemon: Daemon, name: str) -> None:
    async def look() -> bool:
        return (daemon.root / name).exists()

    await daemon.until(look, name)


async def test_a_stop_ends_a_commit_and_a_checkout_whose_hook_hangs(daemon: Daemon) -> None:
    committing, creating = daemon.repository("committing"), daemon.repository("creating")
    hanging(daemon, committing, "pre-commit")
    hanging(daemon, creating, "post-checkout")
    await daemon.use_fake_agent()
    first = await daemon.attempt(await daemon.project(committing), "write new.txt x")
    second = await daemon.project(creating)
    body = {
        "task": {"project_id": second["id"], "title": "T"},
        "executor_profile_id": {"executor": "ACP"},
        "base_branch": "main",
    }
    answers: list[Any] = []

    async def create() -> None:
        answers.append(await daemon.request("POST", "/api/tasks/create-and-start", json=body))

    async def stop(attempt: dict[str, Any], hook: str) -> None:
        await reached(daemon, hook)
        await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(create)
        await reached(daemon, "post-checkout")
        (task,) = await daemon.ask("GET", f"/api/tasks?project_id={second['id']}")
        (other,) = await daemon.ask("GET", f"/api/task-attempts?task_id={task['id']}")
        nursery.start_soon(stop, first, "pre-commit")
        nursery.start_soon(stop, other, "post-checkout")
    assert (answers[0].status_code, answers[0].json()["error_data"]["type"]) == (409, "stopped")
    ended = await daemon.over(other)
    assert ended["status"] == "killed"
    assert "being made" in await daemon.raw(ended)
    ended = await daemon.over(first)
    assert ended["status"] == "completed"
    last = (await daemon.entries(ended))[-1]
    assert (last["entry_type"]["type"], "not committed" in last["content"]) == (
        "error_message",
        True,
    )
    worktree = Path(first["container_ref"])
    assert daemon.git(worktree, "status", "--porcelain") == "?? new.txt\n"
    # Nothing holds the attempt any more.
    (committing / ".git" / "hooks" / "pre-commit").unlink()
    await daemon.ask("POST", f"/api/task-attempts/{first['id']}/merge")
    assert (committing / "new.txt").exists()


async def test_no_stop_leaves_the_checkout_of_a_person_in_the_middle_of_a_merge(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(repository), "write new.txt x")
    await daemon.over(attempt)
    hook = repository / ".git" / "hooks" / "post-merge"
    hook.write_text(f"#!/bin/sh\ntouch '{daemon.root / 'post-merge'}'\nsleep {LAST_SECONDS + 1}\n")
    hook.chmod(0o755)
    path = f"/api/task-attempts/{attempt['id']}"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(daemon.ask, "POST", f"{path}/merge")  # which would raise if refused
        await reached(daemon, "post-merge")
        await daemon.ask("POST", f"{path}/stop")
    assert (await daemon.ask("GET", f"/api/tasks/{attempt['task_id']}"))["status"] == "done"
    assert len((await daemon.ask("GET", f"{path}/branch-status"))["merges"]) == 1
    assert (repository / "new.txt").exists()
    assert daemon.git(repository, "status", "--porcelain") == ""
