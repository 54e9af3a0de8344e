"""The command `anyon mcp`: finding the daemon, and an entry in the settings of an agent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from tests.support.terminals.command_line import CommandLine, command_line


@pytest.fixture
def anyon(tmp_path: Path) -> Iterator[CommandLine]:
    with command_line(tmp_path / "d") as made:
        yield made


def asked(anyon: CommandLine, cwd: Path, *messages: Any) -> list[Any]:
    """What is answered to lines of which nothing comes after."""
    lines = "".join(
        f"{message if isinstance(message, str) else json.dumps(message)}\n" for message in messages
    )
    command = [sys.executable, "-m", "anyond", "mcp"]
    with Popen(command, env=anyon.environment, cwd=cwd, stdin=PIPE, stdout=PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(lines.encode())
        program.stdin.flush()
        wanted = sum(isinstance(one, str) or "id" in one for one in messages)
        found = [json.loads(program.stdout.readline()) for _ in range(wanted)]
        program.stdin.close()
        assert program.stdout.read() == b""
    assert program.returncode == 0
    return found


def request(id: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def test_it_knows_where_its_client_works(anyon: CommandLine) -> None:
    anyon.well("run", "Describe the tea timer", "-a", "DEMO", "-y", "--allow", "*")
    worktree = Path(anyon.well("cd", "1").strip())
    (answer,) = asked(anyon, worktree, request(1, "tools/call", name="context"))
    assert answer["result"]["structuredContent"]["attempt"]["container_ref"] == str(worktree)
    (answer,) = asked(anyon, anyon.repository, request(1, "tools/call", name="context"))
    assert answer["result"]["isError"]


def test_each_line_is_answered_and_odd_ones_too(anyon: CommandLine) -> None:
    hello = request(1, "initialize", protocolVersion="2025-06-18", capabilities={})
    after = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    first, *others = asked(anyon, anyon.repository, hello, after, "nonsense", request(2, "ping"))
    assert first["result"]["protocolVersion"] == "2025-06-18"
    assert sorted(other.get("error", {}).get("code", 0) for other in others) == [-32700, 0]


def test_a_daemon_that_is_away_is_an_error_of_the_request(anyon: CommandLine) -> None:
    anyon.environment["ANYON_URL"] = "http://127.0.0.1:9"
    (answer,) = asked(anyon, anyon.repository, request(1, "ping"))
    assert answer["error"]["code"] == -32603
    assert "did not answer" in answer["error"]["message"]


@pytest.mark.parametrize("agent", ["claude-code", "CODEX", "OPENCODE", "GEMINI"])
def test_it_is_written_into_the_settings_of_an_agent(anyon: CommandLine, agent: str) -> None:
    first = anyon.json("mcp", "install", agent)
    text = Path(first["path"]).read_text()
    assert "anyond" in text
    assert anyon.json("mcp", "install", agent) == first
    assert Path(first["path"]).read_text() == text
    assert anyon.run("mcp", "install", "KETTLE").returncode == 2
