from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.real_agents import claude_cli
from tests.support.real_agents.claude_cli import Person


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path / "daemon") as made:
        yield made


@pytest.fixture(scope="session")
def claude_command() -> str:
    """Asked for outside of the event loop, where the reason of a skipped test would be lost."""
    return claude_cli.command()


@pytest.fixture(scope="session")
def model_port() -> Iterator[int]:
    with claude_cli.scripted_model() as port:
        yield port


@pytest.fixture
async def person(daemon: Daemon, claude_command: str, model_port: int) -> AsyncIterator[Person]:
    try:
        yield await Person.of(daemon, claude_command, model_port)
    finally:
        claude_cli.end_all(daemon)
    assert "Traceback" not in daemon.log()
