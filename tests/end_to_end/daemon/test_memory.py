"""What the daemon keeps of executions that are over: their rows and files, and nothing else."""

from __future__ import annotations

import psutil
import pytest

from tests.support.daemon import Daemon
from tests.support.daemons.scripted_claude import use_scripted_claude
from tests.support.real_agents.claude_cli import printed

pytestmark = pytest.mark.cold_start

MESSAGES = 25


async def test_a_long_conversation_is_forgotten_when_it_is_over(daemon: Daemon) -> None:
    await use_scripted_claude(daemon)
    project = await daemon.project()
    saved = []
    for _ in range(4):
        attempt = await daemon.attempt(project, f"much {MESSAGES}", "CLAUDE_CODE")
        ended = await daemon.over(attempt)
        count = len(printed(await daemon.entries(ended)))
        assert count == MESSAGES + 1  # the title is said as well
        saved.append(psutil.Process(daemon.pid).memory_info().rss / 1e6)
    # The first one shows how much it takes while it runs; each of the others would add that.
    assert saved[-1] - saved[0] < 2 * MESSAGES, saved
