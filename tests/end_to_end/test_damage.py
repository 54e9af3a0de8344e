"""What is broken outside of the daemon must not break the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.end_to_end.house import House, Refused


async def test_a_damaged_worktree_ends_its_diff_stream_and_nothing_else(house: House) -> None:
    attempt = await house.attempt(await house.project(), "Hello", "DEMO")
    await house.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    linked = (Path(attempt["container_ref"]) / ".git").read_text().removeprefix("gitdir: ").strip()
    (Path(linked) / "index").write_bytes(b"no index")
    async with house.socket(f"/api/task-attempts/{attempt['id']}/diff/ws") as stream:
        with trio.fail_after(30), pytest.raises(ConnectionClosed):
            await stream.get_message()
    with pytest.raises(Refused):
        await house.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert (await house.request("GET", "/health")).status_code == 200
