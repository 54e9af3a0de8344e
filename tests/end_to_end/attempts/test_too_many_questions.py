"""An agent that asks without end is refused, and only so many questions wait for a person."""

from __future__ import annotations

import sys
from pathlib import Path

from anyond.logs.bounds import OPEN_MOST
from tests.support.daemon import Daemon

AGENT = """
import json, sys
def say(**fields):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **fields}) + "\\n"); sys.stdout.flush()
refused, turn = 0, None
for line in sys.stdin:
    message = json.loads(line)
    number, method = message.get("id"), message.get("method")
    if method == "initialize":
        say(id=number, result={"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []})
    elif method == "session/new":
        say(id=number, result={"sessionId": "s"})
    elif method == "session/prompt":
        turn = number
        for n in range(MANY):
            say(id=1000 + n, method="session/request_permission", params={
                "sessionId": "s",
                "toolCall": {"toolCallId": "t%d" % n, "title": "Run", "kind": "execute"},
                "options": [{"optionId": "a", "name": "Allow", "kind": "allow_once"},
                            {"optionId": "r", "name": "Reject", "kind": "reject_once"}]})
    elif method is None and number >= 1000:
        refused += 1
        if refused == EXCESS:
            told = {"sessionUpdate": "agent_message_chunk"}
            told["content"] = {"type": "text", "text": "refused"}
            say(method="session/update", params={"sessionId": "s", "update": told})
            say(id=turn, result={"stopReason": "end_turn"})
    elif number is not None and method is not None:
        say(id=number, result={})
"""
EXCESS = 20


async def test_it_is_answered_at_once(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    await daemon.start()
    try:
        program = daemon.root / "agent.py"
        program.write_text(f"MANY, EXCESS = {OPEN_MOST + EXCESS}, {EXCESS}\n{AGENT}")
        await daemon.use_fake_agent(base_command_override=f"{sys.executable} {program}")
        attempt = await daemon.attempt(await daemon.project(), "ask")
        process = await daemon.over(attempt)
        assert process["status"] == "completed", process
        texts = [entry["content"] for entry in await daemon.entries(process)]
        assert "refused" in texts
        assert sum("too many questions" in text for text in texts) == 1
        asked = await daemon.ask("GET", f"/api/approvals?execution_process_id={process['id']}")
        assert len(asked) <= OPEN_MOST
        assert "Traceback" not in daemon.log()
    finally:
        await daemon.stop()
        daemon.sweep()
