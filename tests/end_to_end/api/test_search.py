"""What agents have said is found when they are done, whatever happened to the daemon meanwhile."""

from __future__ import annotations

import shlex
import sys
from typing import Any
from urllib.parse import quote

from tests.support.daemon import Daemon
from tests.support.paths import ROOT, SCRIPTED_AGENTS


async def hits(daemon: Daemon, q: str) -> list[dict[str, Any]]:
    page = await daemon.ask("GET", f"/api/search?q={quote(q)}")
    return page["hits"]  # type: ignore[no-any-return]


async def until_found(daemon: Daemon, q: str) -> list[dict[str, Any]]:
    async def look() -> Any:
        return await hits(daemon, q)

    return await daemon.until(look, q)  # type: ignore[no-any-return]


async def test_a_conversation_is_found_with_the_entry_that_has_it(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(
        await daemon.project(), "say the oolong is ready\nwrite pot.txt warm\nsay done"
    )
    process = await daemon.over(attempt)
    title = (await until_found(daemon, "oolong"))[-1]

    async def look() -> Any:
        # The prompt has these words, too, and so has the task.
        return [hit for hit in await hits(daemon, "oolong ready") if hit["entry"]]

    (said,) = await daemon.until(look)
    entries = await daemon.entries(process)
    assert "oolong is ready" in entries[said["entry"]]["content"]
    assert (said["task_attempt_id"], said["number"]) == (attempt["id"], 1)
    assert title["task_id"] == attempt["task_id"]
    assert "path" in {hit["kind"] for hit in await until_found(daemon, "pot.txt")}
    # It is not found twice after a restart, and what was changed while nothing ran is found.
    before = await hits(daemon, "oolong")
    await daemon.kill()
    await daemon.start()
    await daemon.ask("PUT", f"/api/tasks/{attempt['task_id']}", {"title": "Kettle"})
    await until_found(daemon, "kettle")
    assert [hit["entry"] for hit in await hits(daemon, "oolong") if hit["entry"] is not None] == [
        hit["entry"] for hit in before if hit["entry"] is not None
    ]
    for limit in ("0", "-1", "101", "9" * 30):
        refused = await daemon.request("GET", f"/api/search?q=tea&limit={limit}")
        assert refused.status_code == 400, limit
    for cursor in ("x", "-1", "9" * 30):
        refused = await daemon.request("GET", f"/api/search?q=tea&cursor={cursor}")
        assert refused.status_code == 400, cursor


async def test_a_daemon_that_is_killed_before_it_has_read_reads_later(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    project = await daemon.project()
    ended = [await daemon.over(await daemon.attempt(project, f"say leaf {n}")) for n in range(3)]
    await daemon.kill()
    await daemon.start()
    found = {hit["execution_process_id"] for hit in await until_found(daemon, "leaf 2")}
    assert ended[2]["id"] in found

    async def all_found() -> bool:
        seen = {hit["execution_process_id"] for hit in await hits(daemon, "leaf")}
        return {process["id"] for process in ended} <= seen

    await daemon.until(all_found)


async def test_a_run_is_paid_for_once_and_unknown_costs_are_unknown(daemon: Daemon) -> None:
    recordings = ROOT / "tests" / "transcripts" / "claude"
    command = shlex.join(
        [
            sys.executable,
            str(SCRIPTED_AGENTS / "recorded_program.py"),
            str(recordings / "usage_of_a_session.jsonl"),
            str(recordings / "usage_of_a_resumed_session.jsonl"),
        ]
    )
    options = {"base_command_override": command}
    profiles = {"executors": {"CLAUDE_CODE": {"DEFAULT": {"CLAUDE_CODE": options}}}}
    await daemon.ask("PUT", "/api/profiles", profiles)
    await daemon.use_fake_agent()
    project = await daemon.project()
    attempt = await daemon.attempt(project, "say it", "CLAUDE_CODE")
    await daemon.over(attempt)
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "again"})
    await daemon.over(attempt)
    await daemon.over(await daemon.attempt(project, "say nothing of money"))
    by_agent = {one["key"]: one for one in await daemon.ask("GET", "/api/usage?by=agent")}
    claude, other = by_agent["CLAUDE_CODE"], by_agent["ACP"]
    assert (claude["runs"], claude["input_tokens"], claude["output_tokens"]) == (2, 2000, 84)
    assert round(claude["cost_usd"], 6) == 0.0118
    assert (other["runs"], other["cost_usd"], other["runs_without_cost"]) == (1, None, 1)
    listed = {one["id"]: one for one in await daemon.ask("GET", "/api/attempt-summaries")}
    assert round(listed[attempt["id"]]["cost_usd"], 6) == 0.0118
    await daemon.kill()
    await daemon.start()
    assert {one["key"]: one for one in await daemon.ask("GET", "/api/usage?by=agent")} == by_agent
    assert await daemon.ask("GET", "/api/usage?since=2999-01-01") == []
    wrong = await daemon.request("GET", "/api/usage?since=yesterday")
    assert wrong.status_code == 400
