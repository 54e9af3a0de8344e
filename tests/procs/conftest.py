"""A launcher for each test, and the promise that no program outlives its test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from anyond.procs.shims.launcher import Launcher
from anyond.shim.processes.orphans import end_orphans


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "executions"
    root.mkdir()
    yield root
    for spool in root.iterdir():
        end_orphans(spool.name, None)


@pytest.fixture
async def launcher(root: Path) -> AsyncIterator[Launcher]:
    async with Launcher.open(root) as launcher:
        yield launcher
