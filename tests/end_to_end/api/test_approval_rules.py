"""What is allowed for an attempt is not asked again, and reaches the agent."""

from __future__ import annotations

from tests.support.daemon import Daemon


async def test_what_was_allowed_runs_without_a_question(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "run echo one\nrun echo one\nsay end")
    asked = await daemon.question()
    answer = {"status": {"status": "approved", "scope": "attempt", "match": "tool"}}
    decided = await daemon.request("POST", f"/api/approvals/{asked['id']}/respond", json=answer)
    assert decided.json()["status"] == "approved"
    process = await daemon.over(attempt)
    assert process["status"] == "completed"
    rows = await daemon.ask("GET", "/api/approvals")
    rules = await daemon.ask("GET", "/api/approval-rules")
    by_rule = [row for row in rows if row["tool_name"] == asked["tool_name"]]
    assert {row["status"] for row in by_rule} == {"approved"}
    assert [rule["uses"] for rule in rules] == [len(by_rule) - 1]
    if len(by_rule) > 1:
        assert "end" in str((await daemon.entries(process))[-3:])
    gone = await daemon.request("DELETE", f"/api/approval-rules/{rules[0]['id']}")
    assert gone.status_code == 200
    assert await daemon.ask("GET", "/api/approval-rules") == []


async def test_preferences_are_the_same_after_a_restart(daemon: Daemon) -> None:
    await daemon.ask("PUT", "/api/preferences", {"values": {"board.view": "list", "x": 1}})
    await daemon.kill()
    await daemon.start()
    kept = await daemon.ask("PUT", "/api/preferences", {"values": {"x": None}})
    assert kept == await daemon.ask("GET", "/api/preferences")
    assert kept == {"values": {"board.view": "list"}}
