"""What a setup script leaves running lives as long as its attempt, or its end is told."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.daemon import Daemon

SERVICE = """
nohup sleep 1234 > /dev/null 2>&1 < /dev/null &
echo $! > "$OUT/quiet"
(while :; do echo tick; sleep 0.2; done) &
echo $! > "$OUT/loud"
echo started
"""


def lives(daemon: Daemon, name: str) -> bool:
    try:
        pid = int((daemon.root / "out" / name).read_text())
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False


async def project(daemon: Daemon, script: str = SERVICE, **more: Any) -> dict[str, Any]:
    out = daemon.root / "out"
    out.mkdir()
    return await daemon.project(setup_script=script, environment={"OUT": str(out)}, **more)


async def worked(daemon: Daemon, made: dict[str, Any]) -> dict[str, Any]:
    """An attempt whose agent is done; only services may run in it any more."""
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(made, "say done")

    async def done() -> bool:
        task = await daemon.ask("GET", f"/api/tasks/{attempt['task_id']}")
        return bool(task["status"] == "inreview")

    await daemon.until(done, "the end of the chain")
    return attempt


async def by_reason(daemon: Daemon, attempt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["run_reason"]: row for row in await daemon.processes(attempt)}


def output(daemon: Daemon, process: dict[str, Any]) -> str:
    path: Path = daemon.data / "executions" / process["id"] / "log"
    return path.read_text(errors="replace")


async def gone(daemon: Daemon) -> None:
    async def ended() -> bool:
        return not lives(daemon, "quiet") and not lives(daemon, "loud")

    await daemon.until(ended, "the end of the services")


async def status(daemon: Daemon, attempt: dict[str, Any], expected: str) -> None:
    async def reached() -> bool:
        row = (await by_reason(daemon, attempt)).get("devserver")
        return row is not None and bool(row["status"] == expected)

    await daemon.until(reached, expected)


async def test_services_live_on_are_listed_and_are_stopped_like_a_dev_server(
    daemon: Daemon,
) -> None:
    made = await project(daemon, dev_script="sleep 1235")
    assert made["keep_services"] is True
    attempt = await worked(daemon, made)
    rows = await by_reason(daemon, attempt)
    assert (rows["setupscript"]["status"], rows["setupscript"]["exit_code"]) == ("completed", 0)
    assert rows["codingagent"]["status"] == "completed"
    services = rows["devserver"]
    request = services["executor_action"]["typ"]
    assert request["services_of"] == rows["setupscript"]["id"]
    assert "sleep 1234" in request["script"].splitlines()

    async def received() -> bool:
        return "tick" in output(daemon, services)

    await daemon.until(received, "what the services write")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/start-dev-server")
    await daemon.kill()
    await daemon.start()
    assert lives(daemon, "quiet")
    assert lives(daemon, "loud")
    found = await daemon.ask("GET", f"/api/execution-processes/{services['id']}")
    assert found["status"] == "running"
    await daemon.ask("POST", f"/api/execution-processes/{services['id']}/stop")
    await gone(daemon)

    async def killed() -> bool:
        found = await daemon.ask("GET", f"/api/execution-processes/{services['id']}")
        return bool(found["status"] == "killed")

    await daemon.until(killed, "the end of the row")
    running = [p for p in await daemon.processes(attempt) if p["status"] == "running"]
    assert [p["executor_action"]["typ"]["services_of"] for p in running] == [None], "the dev server"


async def test_services_end_with_their_attempt(daemon: Daemon) -> None:
    attempt = await worked(daemon, await project(daemon))
    assert lives(daemon, "quiet")
    await daemon.ask("DELETE", f"/api/tasks/{attempt['task_id']}")
    await gone(daemon)


async def test_services_end_with_their_project(daemon: Daemon) -> None:
    made = await project(daemon)
    await worked(daemon, made)
    assert lives(daemon, "quiet")
    await daemon.ask("DELETE", f"/api/projects/{made['id']}")
    await gone(daemon)


async def test_a_setup_script_that_runs_again_ends_the_services_of_before(daemon: Daemon) -> None:
    attempt = await worked(daemon, await project(daemon))
    before = [int((daemon.root / "out" / name).read_text()) for name in ("quiet", "loud")]
    row = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}")
    shutil.rmtree(row["container_ref"])
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": "say again"})

    async def again() -> bool:
        rows = await daemon.processes(attempt)
        setups = [r for r in rows if r["run_reason"] == "setupscript"]
        services = [r for r in rows if r["run_reason"] == "devserver"]
        agents = [r["status"] for r in rows if r["run_reason"] == "codingagent"]
        states = sorted(r["status"] for r in services)
        if len(setups) == 2 and setups[1]["status"] == "running":
            assert "running" not in states, "two at a time"
        return agents == ["completed"] * 2 and states == ["killed", "running"]

    await daemon.until(again, "the second run")
    assert lives(daemon, "quiet")
    assert not any(psutil.pid_exists(pid) for pid in before)


async def test_services_that_end_by_themselves_are_over(daemon: Daemon) -> None:
    attempt = await worked(daemon, await project(daemon))
    for name in ("quiet", "loud"):
        os.kill(int((daemon.root / "out" / name).read_text()), signal.SIGKILL)
    await status(daemon, attempt, "completed")


@pytest.mark.parametrize("who", ["the keeper", "the follower"])
async def test_services_end_when_whoever_keeps_or_follows_them_is_killed(
    daemon: Daemon, who: str
) -> None:
    attempt = await worked(daemon, await project(daemon))
    rows = await by_reason(daemon, attempt)
    row = rows["setupscript" if who == "the keeper" else "devserver"]
    spool = str(daemon.data / "executions" / row["id"])
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if spool in words and any(Path(word).name == "shim.py" for word in words):
            process.kill()
    await gone(daemon)
    await status(daemon, attempt, "completed" if who == "the keeper" else "failed")


async def test_services_of_a_script_that_ends_while_there_is_no_daemon_are_kept(
    daemon: Daemon,
) -> None:
    out = daemon.root / "out"
    script = f"touch $OUT/begun; until [ -e $OUT/go ]; do sleep 0.05; done\n{SERVICE}"
    made = await project(daemon, script)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(made, "say done")

    async def begun() -> bool:
        return (out / "begun").exists()

    await daemon.until(begun, "the script")
    await daemon.kill()
    (out / "go").touch()
    await daemon.start()
    await status(daemon, attempt, "running")
    assert lives(daemon, "quiet")


@pytest.mark.parametrize(
    ("more", "script"), [({"keep_services": False}, SERVICE), ({}, f"{SERVICE}\nexit 3\n")]
)
async def test_the_end_of_what_is_not_kept_is_told(
    daemon: Daemon, more: dict[str, Any], script: str
) -> None:
    attempt = await worked(daemon, await project(daemon, script, **more))
    await gone(daemon)
    rows = await by_reason(daemon, attempt)
    assert "devserver" not in rows
    log = output(daemon, rows["setupscript"])
    assert "left 2 processes running, ended now with it" in log or "left 3 processes" in log
    assert "sleep 1234" in log


async def test_whether_they_are_kept_can_be_changed_and_null_keeps_it(daemon: Daemon) -> None:
    made = await daemon.project()
    path = f"/api/projects/{made['id']}"
    for body, expected in (
        ({"keep_services": False}, False),
        ({"keep_services": None}, False),
        ({"name": "Other"}, False),
        ({"keep_services": True}, True),
    ):
        assert (await daemon.ask("PUT", path, body))["keep_services"] is expected


AGENT = """
import json, subprocess, sys
def say(**more):
    print(json.dumps({"jsonrpc": "2.0", **more}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        say(id=asked["id"], result={"protocolVersion": 1, "agentCapabilities": {}})
    elif asked.get("method") == "session/new":
        say(id=asked["id"], result={"sessionId": "s"})
    elif asked.get("method") == "session/prompt":
        for number in range(12):
            subprocess.Popen(["sleep", f"{1500 + number}"], stdin=-3, stdout=-3, stderr=-3)
        say(id=asked["id"], result={"stopReason": "end_turn"})
"""


async def test_what_an_agent_leaves_running_is_named_in_its_log(daemon: Daemon) -> None:
    program = daemon.root / "agent.py"
    program.write_text(AGENT)
    command = f"{sys.executable} {program}"
    variant = {"ACP": {"base_command_override": command}}
    await daemon.ask("PUT", "/api/profiles", {"executors": {"ACP": {"DEFAULT": variant}}})
    made = await daemon.project()
    attempt = await daemon.attempt(made, "work", executor="ACP")
    process = await daemon.over(attempt)
    printed = [entry["content"] for entry in await daemon.entries(process)]
    (named,) = [text for text in printed if "left" in text]
    assert "12 processes" in named
    assert "\n  sleep 1500\n" in named
    assert "… 2 more" in named
