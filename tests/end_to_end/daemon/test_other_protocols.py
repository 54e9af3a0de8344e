"""A daemon that finds runs of a version with another protocol: it says so, and ends nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import trio
from trio_websocket import WebSocketConnection

from anyond.shim.protocol import PROTOCOL
from tests.support.daemon import TIMEOUT_S, Daemon, alive
from tests.support.paths import ROOT
from tests.support.processes.run_pids import pids

LATER = PROTOCOL + 2


def later_version(daemon: Daemon) -> Path:
    """All of Anyon, with another number."""
    tree = daemon.root / "later"
    shutil.copytree(ROOT / "anyond", tree / "anyond", ignore=shutil.ignore_patterns("__pycache__"))
    path = tree / "anyond" / "shim" / "protocol.py"
    text = path.read_text()
    assert f"PROTOCOL = {PROTOCOL}\n" in text
    path.write_text(text.replace(f"PROTOCOL = {PROTOCOL}\n", f"PROTOCOL = {LATER}\n"))
    return tree


async def become(daemon: Daemon, tree: Path) -> None:
    await daemon.kill()
    daemon.environment["PYTHONPATH"] = str(tree)
    await daemon.start()


async def displayed(connection: WebSocketConnection, text: str) -> dict[str, Any]:
    """The entry with that text, as soon as a client is told of it."""
    with trio.fail_after(TIMEOUT_S):
        while True:
            frame: dict[str, Any] = json.loads(await connection.get_message())
            if text in json.dumps(frame):
                return frame


async def test_an_agent_of_a_later_version_goes_on_and_its_log_says_why_nobody_follows_it(
    daemon: Daemon,
) -> None:
    later = later_version(daemon)
    await become(daemon, later)
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say before\nrun echo ran > ran.txt\nsay after")
    question = await daemon.question()
    process = await daemon.running(attempt)
    before = pids(daemon, process)

    await become(daemon, ROOT)
    stream = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
    async with daemon.socket(stream) as connection:
        frame = await displayed(connection, f"speaks protocol {LATER}")
        assert frame["index"] == 0
        assert frame["entry_type"]["type"] == "error_message"
    # Whoever has seen it and comes again is not behind, and misses nothing later.
    async with daemon.socket(f"{stream}?after={frame['seq']}") as connection:
        await displayed(connection, "The program goes on")
    assert pids(daemon, process) == before
    assert all(map(alive, before))
    assert [p["status"] for p in await daemon.processes(attempt)] == ["running"]

    await become(daemon, later)
    async with daemon.socket(f"{stream}?after={frame['seq']}") as connection:
        await displayed(connection, '"pending_approval"')
    await daemon.ask(
        "POST", f"/api/approvals/{question['id']}/respond", {"status": {"status": "approved"}}
    )
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    assert "protocol" not in json.dumps(entries)
    assert (Path(attempt["container_ref"]) / "ran.txt").read_text() == "ran\n"


async def test_a_script_of_a_later_version_says_it_too_and_a_stop_ends_it(daemon: Daemon) -> None:
    later = later_version(daemon)
    await become(daemon, later)
    project = await daemon.project(setup_script="echo on; sleep 600 & wait")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say never")
    process = await daemon.running(attempt)

    await become(daemon, ROOT)
    stream = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
    async with daemon.socket(stream) as connection:
        frame = await displayed(connection, f"speaks protocol {LATER}")
    assert (frame["index"], frame["entry_type"]["type"]) == (0, "tool_use")
    before = pids(daemon, process)
    assert all(map(alive, before))
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    ended = await daemon.over(attempt)
    assert ended["status"] == "killed"
    await daemon.until(lambda: _gone(before), "the end of both")


async def _gone(these: tuple[int, ...]) -> bool:
    return not any(map(alive, these))
