"""Nothing but one package knows the ancestor's flavour: without it, everything else works."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.house import ROOT, House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A daemon of a copy of Anyon that lacks the package, and the lines that name it."""
    copy = tmp_path / "copy"
    skip = shutil.ignore_patterns("vk", "__pycache__")
    shutil.copytree(ROOT / "anyond", copy / "anyond", ignore=skip)
    shutil.copytree(ROOT / "tests" / "fakes", copy / "tests" / "fakes", ignore=skip)
    app = copy / "anyond" / "http" / "app.py"
    lines = app.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "vk" not in line]
    assert len(lines) - len(kept) == 2, "one import and one call"
    app.write_text("".join(kept))
    made = House(tmp_path / "house")
    made.environment["PYTHONPATH"] = str(copy)
    async with made:
        yield made


async def test_a_task_goes_all_the_way(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "write hello.txt hello\nsay done")
    process = await house.over(attempt)
    assert process["status"] == "completed"
    assert "done" in [entry["content"] for entry in await house.entries(process)]
    draft = f"/api/task-attempts/{attempt['id']}/draft"
    await house.ask("PUT", draft, {"prompt": "More."})
    async with house.socket(f"/api/drafts/stream/ws?project_id={project['id']}") as stream:
        assert '"type":"snapshot"' in await stream.get_message()
    await house.ask("POST", f"/api/task-attempts/{attempt['id']}/merge")
    for path in ("/vk/api/info", "/api/config"):
        assert (await house.request("GET", path)).status_code in {404, 405}
    asked = await house.request(
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


async def test_its_port_is_refused(house: House) -> None:
    await house.stop()
    code, said = await house.refusal("--port", "0", "--vk-port", "0")
    assert (code, "comes without the flavour vk" in said) == (1, True)
    await house.start()
