"""The built-in demonstration agent: its place and its start."""

from __future__ import annotations

import sys
from pathlib import Path

from anyond.agents.acp.agent import Acp

_PROGRAM = Path(__file__).resolve().parents[1] / "demo" / "agent.py"


class Demo(Acp, frozen=True):
    """An agent that needs no network and no key; it speaks the Agent Client Protocol like others.

    It is started by its path and apart from the surroundings (`-I`), since the worktree may hold a
    package of the same name.
    """

    command: tuple[str, ...] = (sys.executable, "-I", str(_PROGRAM))
    install: str = "It is part of Anyon: install Anyon again."
