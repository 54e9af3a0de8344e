"""Who reads the bytes of a log waits for nothing but the bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from anyond.actors.attempts import Attempts
from anyond.actors.execution import crashes as crashes_module
from anyond.actors.messaging.talk import Talk
from anyond.logs.conversation import Conversation
from anyond.model.records import Record
from anyond.model.rows import ExecutionProcess
from anyond.operations.resources import Resources
from anyond.store.runs import sessions
from anyond.watchers.logs import Logs
from tests.support.store.running_rows import started

TURN = '{"executor": "DEMO", "prompt": "x", "cwd": "/"}'
DEADLINE = 30


class Follower:
    """What one follower of a raw log has seen."""

    def __init__(self, logs: Logs, row: ExecutionProcess) -> None:
        self.seen = b""
        self._logs = logs
        self._row = row

    async def run(self) -> None:
        async for frames in self._logs.raw(self._row.id):
            self.seen += b"".join(frame.data for frame in frames)

    async def sees(self, text: bytes) -> None:
        with trio.fail_after(DEADLINE):
            while text not in self.seen:
                await trio.sleep(0.005)  # looked at again, until the deadline

    async def is_woken(self) -> None:
        """Until somebody listens to the shim: what comes now comes to the dialogue as well."""
        live = self._logs.begin(self._row.id)
        with trio.fail_after(DEADLINE):
            while not live.is_listened_to:
                await trio.sleep(0.005)  # looked at again, until the deadline


@asynccontextmanager
async def followed(
    resources: Resources, row: ExecutionProcess, go: Path
) -> AsyncIterator[Follower]:
    """An agent at work that says "two" as soon as the file `go` is there."""
    await resources.store.write(lambda tx: sessions.keep_turn(tx, row.id, TURN))
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    await started(resources, row, f"echo one; {wait}; echo two; exec sleep 600")
    async with trio.open_nursery() as nursery:
        logs = Logs(resources.store, resources.launcher)
        active = Attempts(nursery, resources, logs)
        nursery.start_soon(active.recover)
        follower = Follower(logs, row)
        nursery.start_soon(follower.run)
        try:
            yield follower
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await resources.launcher.end_services(row.id)


@pytest.mark.parametrize("during", ["open", "read_on"])
async def test_a_dialogue_that_does_not_come_to_an_end_holds_up_nobody_who_reads_the_bytes(
    resources: Resources,
    poisoned: ExecutionProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    during: str,
) -> None:
    reached = trio.Event()

    async def hang(*_: object) -> None:
        reached.set()
        await trio.sleep_forever()

    monkeypatch.setattr(Talk, during, hang)
    # What nobody is woken for is not seen by looking now and then either.
    monkeypatch.setattr("anyond.watchers.logs.UNFOLLOWED_S", DEADLINE * 10)
    async with followed(resources, poisoned, tmp_path / "go") as follower:
        await follower.sees(b"one\n")
        await follower.is_woken()
        (tmp_path / "go").touch()
        await follower.sees(b"two\n")
        with trio.fail_after(DEADLINE):
            await reached.wait()


async def test_a_dialogue_that_crashes_holds_up_nobody_who_reads_the_bytes(
    resources: Resources,
    poisoned: ExecutionProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crashed = trio.Event()

    def choke(self: Conversation, record: Record) -> Iterator[None]:
        crashed.set()
        raise ValueError("one")

    monkeypatch.setattr(Conversation, "steps", choke)
    monkeypatch.setattr(crashes_module, "FIRST_BACKOFF_S", 1000.0)
    monkeypatch.setattr(crashes_module, "LONGEST_BACKOFF_S", 1000.0)
    async with followed(resources, poisoned, tmp_path / "go") as follower:
        await follower.sees(b"one\n")
        with trio.fail_after(DEADLINE):
            await crashed.wait()
        (tmp_path / "go").touch()
        await follower.sees(b"two\n")
