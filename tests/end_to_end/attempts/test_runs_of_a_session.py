"""What the runs of one session have to do with one another: what they cost, what they tell once."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from tests.support.daemon import Daemon
from tests.support.paths import ROOT, SCRIPTED_AGENTS
from tests.support.real_agents.claude_cli import printed

PROGRAM = SCRIPTED_AGENTS / "recorded_program.py"
RECORDINGS = ROOT / "tests" / "transcripts" / "claude"
NOTICE = {"type": "system", "subtype": "informational", "content": "Version 9 is there."}


async def _claude_that_reports(daemon: Daemon, first: Path, resumed: Path) -> None:
    """From now on Claude Code says what was recorded, in a new session and in a resumed one."""
    command = shlex.join([sys.executable, str(PROGRAM), str(first), str(resumed)])
    options = {"base_command_override": command}
    body = {"executors": {"CLAUDE_CODE": {"DEFAULT": {"CLAUDE_CODE": options}}}}
    await daemon.ask("PUT", "/api/profiles", body)


def _with_notice(recording: Path, folder: Path) -> Path:
    """The same recording, in which the program tells something of itself."""
    rows = recording.read_text(encoding="utf-8").splitlines()
    rows.insert(4, json.dumps({"dir": "out", "line": json.dumps(NOTICE)}))
    reported = folder / recording.name
    reported.write_text("\n".join(rows))
    return reported


def _usage(entries: list[dict[str, Any]]) -> list[tuple[int, int, float]]:
    used = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "token_usage"]
    return [(u["input_tokens"], u["output_tokens"], round(u["cost_usd"], 6)) for u in used]


async def test_each_run_shows_its_own_usage_and_a_notice_comes_once(
    daemon: Daemon, tmp_path: Path
) -> None:
    first = _with_notice(RECORDINGS / "usage_of_a_session.jsonl", tmp_path)
    resumed = _with_notice(RECORDINGS / "usage_of_a_resumed_session.jsonl", tmp_path)
    await _claude_that_reports(daemon, first, resumed)
    attempt = await daemon.attempt(await daemon.project(), "say it", "CLAUDE_CODE")
    begun = await daemon.over(attempt)
    entries = await daemon.entries(begun)
    assert _usage(entries) == [(1000, 42, 0.0059)]
    assert NOTICE["content"] in printed(entries, "system_message")
    await daemon.kill()
    await daemon.start()
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": "again"})
    entries = await daemon.entries(await daemon.over(attempt))
    assert _usage(entries) == [(1000, 42, 0.0059)]
    assert NOTICE["content"] not in printed(entries, "system_message")
    [row] = [r for r in await daemon.processes(attempt) if r["id"] == begun["id"]]
    assert row["status"] == "completed"
    [session] = [r for r in await daemon.processes(attempt) if r["id"] != begun["id"]]
    assert session["status"] == "completed"
