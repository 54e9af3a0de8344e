"""What was promised is there after the process was killed in the middle of writing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from anyond.model.rows import TaskStatus
from anyond.store.board import tasks
from anyond.store.engine.changes import Changes
from anyond.store.engine.database import Store
from tests.support.paths import ROOT
from tests.support.store import writer


@pytest.mark.thorough
@pytest.mark.parametrize("promises", [1, 40, 300])
def test_every_answered_write_survives_a_kill(promises: int, path: Path) -> None:
    promised = _write_until_killed(path, promises)

    async def look() -> None:
        async with Store.open(path) as store:
            saved = {
                task.id: task for task in await store.read(lambda r: tasks.all_with_status(r, "p"))
            }
            assert promised <= saved.keys()
            assert {task.status for task in saved.values()} == {TaskStatus.DONE}
            reported = await _reported(store.changes)
            # Each row came with exactly its two changes, in order, and no change without its row.
            assert reported.keys() == saved.keys()
            assert set(map(tuple, reported.values())) == {("task_created", "task_updated")}
            decision = await store.read(lambda r: r.execute("PRAGMA integrity_check").fetchall())
            assert decision == [("ok",)]

    trio.run(look)


def _write_until_killed(path: Path, promises: int) -> set[str]:
    with subprocess.Popen(
        [sys.executable, "-m", writer.__name__, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        try:
            promised = {process.stdout.readline().strip() for _ in range(promises)}
        finally:
            process.kill()
        rest = process.stdout.read().split("\n")
    # The last line may be cut; what follows a line feed is not.
    promised |= set(rest[:-1])
    assert "" not in promised, "the program ended before it was killed"
    return promised


async def _reported(changes: Changes) -> dict[str, list[str]]:
    reported: dict[str, list[str]] = {}
    cursor = changes.follow(0)
    while cursor.position < changes.end:
        for change in await cursor.next():
            assert json.loads(change.data)["id"] == change.key
            reported.setdefault(str(change.key), []).append(change.kind)
    return reported
