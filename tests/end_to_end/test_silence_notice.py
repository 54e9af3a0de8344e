"""A silent agent is waited for, and the person is told."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.claude_cli import said
from tests.end_to_end.house import House


async def test_it_is_one_entry_that_counts_on_across_a_restart(house: House) -> None:
    await house.ask("PUT", "/api/config", {"silence_notice_s": 1})
    await house.use_fake_agent()
    attempt = await house.attempt(await house.project(), "say hello\nsilent")
    process = await house.running(attempt)
    log = house.data / "executions" / process["id"] / "log"

    async def told() -> Any:
        return log.read_bytes().count(b'"note":"quiet"')

    await house.until(told, "a notice")
    await house.kill()
    await house.start()
    again = await told()

    async def more() -> bool:
        return bool(await told() > again)

    await house.until(more, "the next notice")
    await house.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    ended = await house.over(attempt)
    notices = [t for t in said(await house.entries(ended), "system_message") if "No output" in t]
    assert len(notices) == 1
    assert "for 1 s" not in notices[0]


async def test_it_can_be_turned_off_and_not_to_nonsense(house: House) -> None:
    assert (await house.ask("GET", "/api/info"))["config"]["silence_notice_s"] == 60
    assert (await house.ask("PUT", "/api/config", {"silence_notice_s": 0}))["silence_notice_s"] == 0
    for nonsense in (-1, "soon"):
        body = {"silence_notice_s": nonsense}
        assert (await house.request("PUT", "/api/config", json=body)).status_code == 400
