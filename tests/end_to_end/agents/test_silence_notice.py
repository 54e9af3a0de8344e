"""A silent agent is waited for, and the person is told."""

from __future__ import annotations

from typing import Any

from tests.support.daemon import Daemon
from tests.support.real_agents.claude_cli import printed


async def test_it_is_one_entry_that_counts_on_across_a_restart(daemon: Daemon) -> None:
    await daemon.ask("PUT", "/api/config", {"silence_notice_s": 1})
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "say hello\nsilent")
    process = await daemon.running(attempt)
    log = daemon.data / "executions" / process["id"] / "log"

    async def reported() -> Any:
        return log.read_bytes().count(b'"note":"quiet"')

    await daemon.until(reported, "a notice")
    await daemon.kill()
    await daemon.start()
    again = await reported()

    async def more() -> bool:
        return bool(await reported() > again)

    await daemon.until(more, "the next notice")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    ended = await daemon.over(attempt)
    notices = [
        t for t in printed(await daemon.entries(ended), "system_message") if "No output" in t
    ]
    assert len(notices) == 1
    assert "for 1 s" not in notices[0]


async def test_it_can_be_turned_off_and_not_to_nonsense(daemon: Daemon) -> None:
    assert (await daemon.ask("GET", "/api/info"))["config"]["silence_notice_s"] == 60
    assert (await daemon.ask("PUT", "/api/config", {"silence_notice_s": 0}))[
        "silence_notice_s"
    ] == 0
    for nonsense in (-1, "soon"):
        body = {"silence_notice_s": nonsense}
        assert (await daemon.request("PUT", "/api/config", json=body)).status_code == 400
