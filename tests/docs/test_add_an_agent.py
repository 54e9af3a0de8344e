"""The page that says how an agent is added is followed to the letter, and the agent works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.followed_pages import blocks, follow, run
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-an-agent.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources in which the page was followed."""
    return follow(PAGE, tmp_path / "checkout", "tests")


def test_the_rules_for_every_dialogue_hold_for_it(checkout: Path) -> None:
    printed = run(
        checkout,
        *("-m", "pytest", "-p", "no:cacheprovider"),
        *("tests/agents/test_every_dialogue.py", "-k", "parrot or PARROT or language"),
    )
    # Two recordings under seven rules, endless stderr, broken lines, whether there are recordings.
    assert re.search(r"\b17 passed", printed), printed


async def test_an_attempt_runs_it(checkout: Path, tmp_path: Path) -> None:
    [request] = [block for block in blocks(PAGE) if block.verb == "body"]
    body = request.text.replace("parrot.sh", str(checkout / "parrot.sh"))
    made = Daemon(tmp_path / "daemon")
    made.environment["PYTHONPATH"] = str(checkout)
    async with made as daemon:
        kind = {"Content-Type": "application/json"}
        answer = await daemon.request("PUT", request.name, content=body, headers=kind)
        assert answer.status_code == 200, answer.text
        attempt = await daemon.attempt(await daemon.project(), "Hello", "PARROT")
        ended = await daemon.over(attempt)
        assert ended["status"] == "completed"
        displayed = [entry["entry_type"]["type"] for entry in await daemon.entries(ended)]
        assert displayed == ["user_message", "tool_use", "assistant_message"]
        path = f"/api/task-attempts/{attempt['id']}/follow-up"
        await daemon.ask("POST", path, {"prompt": "Again"})
        again = await daemon.over(attempt)
        assert again["executor_action"]["typ"]["session_id"] == "p-1"
        tree = daemon.git(daemon.root / "project", "ls-tree", "--name-only", attempt["branch"])
        assert "seeds" in tree.split()
