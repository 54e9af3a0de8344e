"""The time that the event loop stands still while the largest things are put together beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import trio

from anyond.editing import files
from anyond.http.streaming.task_lists import assembled
from anyond.logs import archive
from anyond.model.http.frames import EntryFrame
from benchmarks.figures import Figure, at_most
from benchmarks.lab import Lab

TASKS = 100_000
TASK_BYTES = 480
ENTRIES = 50_000
ENTRY_BYTES = 2_500
"""Together what a run may have at most (see `logs/bounds.py`)."""
LIMIT_MS = 50.0
_STEP_S = 0.001


def measure(lab: Lab) -> Iterator[Figure]:
    rows = {str(n): b'{"id":"%08d","title":"%s"}' % (n, b"x" * TASK_BYTES) for n in range(TASKS)}
    held = trio.run(_held, lambda: assembled(rows))
    yield at_most(
        f"the loop, while a list of {TASKS:,} tasks is put together", held, LIMIT_MS, "ms"
    )
    entry = b'{"content":"%s"}' % (b"y" * ENTRY_BYTES)
    frames = [EntryFrame(n, n, entry) for n in range(ENTRIES)]
    path = lab.path("archive")
    held = trio.run(_held, lambda: files.write(path, archive.lines(frames, "bench")))
    yield at_most(f"… while {ENTRIES:,} final entries are written", held, LIMIT_MS, "ms")


async def _held(work: Callable[[], object]) -> float:
    """The longest that a task which only sleeps was late while `work` ran in a thread, in ms."""
    latest = 0.0

    async def probe() -> None:
        nonlocal latest
        while True:
            began = time.perf_counter()
            await trio.sleep(_STEP_S)
            latest = max(latest, time.perf_counter() - began - _STEP_S)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(probe)
        await trio.to_thread.run_sync(work)
        nursery.cancel_scope.cancel()
    return latest * 1000
