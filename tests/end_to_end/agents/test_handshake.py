"""What becomes of an agent that answers its handshake in its own way, or never."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import pytest

from tests.support.daemon import ACP_AGENT, Daemon
from tests.support.real_agents.claude_cli import printed

PRETTY = """
import json, runpy, sys

write = sys.stdout.write

def pretty(text):
    for line in text.splitlines():
        try:
            line = json.dumps(json.loads(line), indent=2)
        except ValueError:
            pass
        write(line + chr(10))
    return len(text)

sys.stdout.write = pretty
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
MUTE = "import sys\nprint('Welcome to the parrot!', flush=True)\nsys.stdin.read()\n"


async def _variant(daemon: Daemon, executor: str, **options: Any) -> None:
    body = {"executors": {executor: {"DEFAULT": {executor: options}}}}
    await daemon.ask("PUT", "/api/profiles", body)


async def test_messages_of_several_lines_are_understood(daemon: Daemon) -> None:
    script = daemon.root / "pretty.py"
    script.write_text(PRETTY)
    command = shlex.join([sys.executable, "-I", "-u", str(script), str(ACP_AGENT)])
    await _variant(daemon, "ACP", base_command_override=command)
    attempt = await daemon.attempt(await daemon.project(), "say hello", "ACP")
    ended = await daemon.over(attempt)
    entries = await daemon.entries(ended)
    assert ended["status"] == "completed"
    assert "".join(printed(entries)).endswith("hello")
    assert printed(entries, "system_message") == []


@pytest.mark.parametrize("executor", ["ACP", "CODEX"])
async def test_an_agent_that_never_answers_has_failed_and_the_log_says_so(
    daemon: Daemon, executor: str
) -> None:
    script = daemon.root / "mute.py"
    script.write_text(MUTE)
    command = shlex.join([sys.executable, str(script)])
    await _variant(daemon, executor, base_command_override=command, handshake_timeout_s=1)
    attempt = await daemon.attempt(await daemon.project(), "say hello", executor)
    ended = await daemon.over(attempt)
    assert ended["status"] == "failed"
    [error] = printed(await daemon.entries(ended), "error_message")
    assert "has not answered within 1 s" in error
    assert "is not its protocol" in error


async def test_the_time_for_it_is_a_number_of_seconds(daemon: Daemon) -> None:
    for nonsense in (0, -1, "soon", True, 10**6):
        options = {"handshake_timeout_s": nonsense}
        body = {"executors": {"ACP": {"DEFAULT": {"ACP": options}}}}
        answer = await daemon.request("PUT", "/api/profiles", json=body)
        assert answer.status_code == 400
        assert "handshake_timeout_s" in answer.text


async def test_what_git_would_not_take_of_an_agents_words_does_not_hold_up_its_work(
    daemon: Daemon,
) -> None:
    await daemon.use_fake_agent()
    project = await daemon.project(cleanup_script="echo tidy")
    script = daemon.root / "words.py"
    script.write_text(WORDS)
    command = shlex.join([sys.executable, str(script), str(ACP_AGENT)])
    await _variant(daemon, "ACP", base_command_override=command, auto_approve=True)
    attempt = await daemon.attempt(project, "write f.txt work\nsay NUL", "ACP")
    await daemon.over(attempt)
    rows = await daemon.processes(attempt)
    assert [row["status"] for row in rows] == ["completed", "completed"]
    assert printed(await daemon.entries(rows[0]), "error_message") == []
    status = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/branch-status")
    assert status["commits_ahead"] == 1


WORDS = """
import runpy, sys

write = sys.stdout.write
sys.stdout.write = lambda text: write(text.replace("NUL", chr(92) + "u0000" + chr(92) + "u001b[1m"))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
