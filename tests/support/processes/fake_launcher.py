"""A launcher that starts nothing: who uses it sees what would have been started."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from anyond.model.launch import Launch
from anyond.model.records import LaunchedProcesses
from anyond.procs.shims.launcher import Launcher
from anyond.procs.shims.shim_connection import ShimConnection


@dataclass
class FakeLauncher:
    """Takes the place of `Launcher`; spools and looks are the real one's.

    Args:
        real: of the same directory.
        error: what `start` raises, if anything.

    Attributes:
        started: the launch of each execution, in order.
        limits: the bytes that the log of each may have.
        notes: what was put on record as a NOTE, by the ids of executions.
    """

    real: Launcher
    error: Exception | None = None
    started: dict[str, Launch] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    notes: dict[str, list[bytes]] = field(default_factory=dict)
    recorded: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, root: Path) -> AsyncIterator[FakeLauncher]:
        async with Launcher.open(root) as real:
            yield cls(real)

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def start(
        self,
        execution_id: str,
        launch: Launch,
        *,
        limit: int,
        key: str = "",
        record: Callable[[], Awaitable[object]] | None = None,
    ) -> ShimConnection:
        """As `Launcher.start`, without a shim."""
        assert key, "a shim obeys only who says its key"
        if record is not None:
            await record()
            self.recorded.append(execution_id)
        if self.error is not None:
            raise self.error
        await trio.lowlevel.checkpoint()
        self.started[execution_id] = launch
        self.limits[execution_id] = limit
        return FakeConnection(execution_id, self.notes.setdefault(execution_id, []))


class FakeConnection(ShimConnection):
    """A connection to nobody."""

    def __init__(self, execution_id: str, notes: list[bytes]) -> None:
        self.execution_id = execution_id
        self.pid = 0
        self.processes: LaunchedProcesses | None = None
        self._notes = notes

    async def note(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self._notes.append(data)
