"""Dev servers of attempts: one for a project, beside the agent, and found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from tests.support.daemon import Daemon, alive
from tests.support.worked_attempt import SERVER, worked_attempt


async def servers(daemon: Daemon, attempt: dict[str, Any]) -> list[dict[str, Any]]:
    return [p for p in await daemon.processes(attempt) if p["run_reason"] == "devserver"]


async def until_up(daemon: Daemon, at: Path) -> int:
    async def look() -> str:
        return (at / "server.pid").read_text() if (at / "server.pid").exists() else ""

    return int(await daemon.until(look, "the dev server"))


async def test_a_dev_server_lives_beside_the_agent_and_survives_the_daemon(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, dev_script=SERVER)
    await at.press("follow-up", {"prompt": "silent"})
    agent = await daemon.running(at.attempt)
    assert await at.press("start-dev-server") is None
    (server,) = await servers(daemon, at.attempt)
    pid = await until_up(daemon, at.worktree)
    assert (await daemon.ask("GET", f"/api/tasks/{at.attempt['task_id']}"))[
        "status"
    ] == "inprogress"
    await daemon.kill()
    await daemon.start()
    assert alive(pid)
    await daemon.ask("POST", f"/api/execution-processes/{agent['id']}/stop")
    assert alive(pid)
    await at.press("stop")
    rows = await daemon.processes(at.attempt)
    assert {r["status"] for r in rows[1:]} == {"killed"}
    assert not alive(pid)
    assert 1024 <= int((await daemon.raw(server)).removeprefix("port ")) < 65536


async def test_only_one_dev_server_of_a_project_runs_whoever_starts_it(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, dev_script=SERVER)
    project = (await daemon.ask("GET", "/api/projects"))[0]
    other = await daemon.attempt(project, "say hi")
    await daemon.over(other)
    await at.press("start-dev-server")
    first = await until_up(daemon, at.worktree)
    async with trio.open_nursery() as nursery:
        for attempt in (at.attempt, other, at.attempt, other):
            path = f"/api/task-attempts/{attempt['id']}/start-dev-server"
            nursery.start_soon(daemon.ask, "POST", path)
    rows = await servers(daemon, at.attempt) + await servers(daemon, other)
    assert len(rows) == 5
    assert sorted(r["status"] for r in rows) == ["killed"] * 4 + ["running"]
    assert not alive(first)
    (running,) = (r for r in rows if r["status"] == "running")
    # it is in nobody's way
    await at.press("merge")
    await daemon.ask("POST", f"/api/execution-processes/{running['id']}/stop")
    assert (await daemon.ask("GET", f"/api/execution-processes/{running['id']}"))["status"] == (
        "killed"
    )


async def test_without_a_script_no_dev_server_is_stopped(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, dev_script=SERVER)
    await at.press("start-dev-server")
    pid = await until_up(daemon, at.worktree)
    project = (await daemon.ask("GET", "/api/projects"))[0]
    await daemon.ask("PUT", f"/api/projects/{project['id']}", {"dev_script": ""})
    refusal = await at.refused("start-dev-server")
    assert (refusal.status, refusal.type) == (409, "no_dev_script")
    assert alive(pid)
    await at.press("stop")


async def test_a_dev_server_that_fails_leaves_the_task_alone(daemon: Daemon) -> None:
    at = await worked_attempt(daemon, dev_script="echo broken >&2; exit 3")
    await at.press("start-dev-server")

    async def ended() -> Any:
        (row,) = await servers(daemon, at.attempt)
        return row if row["status"] != "running" else None

    row = await daemon.until(ended, "the end of the dev server")
    assert (row["status"], row["exit_code"]) == ("failed", 3)
    task = (
        await daemon.ask(
            "GET", f"/api/tasks?project_id={(await daemon.ask('GET', '/api/projects'))[0]['id']}"
        )
    )[0]
    assert (task["status"], task["last_attempt_failed"]) == ("inreview", False)
