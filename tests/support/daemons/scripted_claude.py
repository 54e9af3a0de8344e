"""A daemon in which Claude Code is a scripted program that needs no model."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Any

from tests.support.daemon import Daemon
from tests.support.paths import SCRIPTED_AGENTS

PROGRAM = SCRIPTED_AGENTS / "claude_agent.py"


async def use_scripted_claude(daemon: Daemon, **more: Any) -> None:
    """From now on the executor CLAUDE_CODE is the scripted program."""
    options = {
        "base_command_override": shlex.join([sys.executable, str(PROGRAM)]),
        "env": {"CLAUDE_AGENT_STATE": str(daemon.root / "fake-state")},
        **more,
    }
    body = {"executors": {"CLAUDE_CODE": {"DEFAULT": {"CLAUDE_CODE": options}}}}
    await daemon.ask("PUT", "/api/profiles", body)


def reported(daemon: Daemon) -> list[list[str]]:
    """All that the program was ever told in this daemon: the texts of each message."""
    path = daemon.root / "fake-state" / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def forget_sessions(daemon: Daemon) -> None:
    """The program does not know any of its sessions any more."""
    for file in (daemon.root / "fake-state").iterdir():
        if file.name != "told":
            file.unlink()
