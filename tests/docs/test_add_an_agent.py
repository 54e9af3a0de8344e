"""The page that says how an agent is added is followed to the letter, and the agent works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.end_to_end.daemon import ROOT, Daemon

PAGE = ROOT / "docs" / "how-to" / "add-an-agent.md"
_BLOCK = re.compile(
    r"^```\w+ (?P<verb>file|body)=(?P<name>\S+)(?: after='(?P<after>[^\n]*)')?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of the page: a file, or lines of one after a certain line, or a request."""

    verb: str
    name: str
    after: str | None
    text: str


def blocks() -> list[Block]:
    return [Block(*match.group("verb", "name", "after", "text"))
            for match in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources in which the page was followed."""
    copy = tmp_path / "checkout"
    leave = shutil.ignore_patterns("__pycache__", "end_to_end", ".*")
    for folder in ("anyond", "tests/agents", "tests/transcripts"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for block in blocks():
        if block.verb == "file":
            _write(copy / block.name, block)
    return copy


def _write(path: Path, block: Block) -> None:
    if block.after is None:
        assert not path.exists(), f"{block.name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return
    lines = path.read_text().splitlines(keepends=True)
    place = lines.index(f"{block.after}\n")
    path.write_text("".join([*lines[: place + 1], block.text, *lines[place + 1 :]]))


def test_the_rules_for_every_dialogue_hold_for_it(checkout: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *("tests/agents/test_every_dialogue.py", "-k", "parrot or PARROT or language"),
        ],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(checkout), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Two recordings under seven rules, endless stderr, broken lines, whether there are recordings.
    assert re.search(r"\b17 passed", done.stdout), done.stdout


async def test_an_attempt_runs_it(checkout: Path, tmp_path: Path) -> None:
    [request] = [block for block in blocks() if block.verb == "body"]
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
        shown = [entry["entry_type"]["type"] for entry in await daemon.entries(ended)]
        assert shown == ["user_message", "tool_use", "assistant_message"]
        path = f"/api/task-attempts/{attempt['id']}/follow-up"
        await daemon.ask("POST", path, {"prompt": "Again"})
        again = await daemon.over(attempt)
        assert again["executor_action"]["typ"]["session_id"] == "p-1"
        tree = daemon.git(daemon.root / "project", "ls-tree", "--name-only", attempt["branch"])
        assert "seeds" in tree.split()
