"""Nothing but one package knows vibe-kanban's wire format: without it, everything else works."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.paths import ROOT


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon of a copy of Anyon that lacks the package, and the lines that name it."""
    copy = tmp_path / "copy"
    skip = shutil.ignore_patterns("vk", "__pycache__")
    shutil.copytree(ROOT / "anyond", copy / "anyond", ignore=skip)
    app = copy / "anyond" / "http" / "app.py"
    lines = app.read_text().splitlines(keepends=True)
    saved = [line for line in lines if "vk" not in line]
    assert len(lines) - len(saved) == 2, "one import and one call"
    app.write_text("".join(saved))
    made = Daemon(tmp_path / "daemon")
    made.environment["PYTHONPATH"] = str(copy)
    async with made:
        yield made


async def test_a_task_goes_all_the_way(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write hello.txt hello\nsay done")
    process = await daemon.over(attempt)
    assert process["status"] == "completed"
    assert "done" in [entry["content"] for entry in await daemon.entries(process)]
    draft = f"/api/task-attempts/{attempt['id']}/draft"
    await daemon.ask("PUT", draft, {"prompt": "More."})
    async with daemon.socket(f"/api/drafts/stream/ws?project_id={project['id']}") as stream:
        assert '"type":"snapshot"' in await stream.get_message()
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/merge")
    for path in ("/vk/api/info", "/api/config"):
        assert (await daemon.request("GET", path)).status_code in {404, 405}
    asked = await daemon.request(
        "GET",
        f"/api/execution-processes/{process['id']}/raw-logs/ws?format=patch",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )
    assert (asked.status_code, asked.json()["error_data"]["field"]) == (400, "format")


async def test_its_port_is_refused(daemon: Daemon) -> None:
    await daemon.stop()
    code, output = await daemon.refusal("--port", "0", "--vk-port", "0")
    assert (code, "comes without the wire format vk" in output) == (1, True)
    await daemon.start()
