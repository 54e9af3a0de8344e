"""The time that the event loop stands still while the largest things are put together beside it.

A thread that only counts, for as long, is what it is compared with: threads share an interpreter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import trio

from anyond.editing import files
from anyond.http.streaming.task_lists import assembled
from anyond.logs import archive
from anyond.model.http.frames import EntryFrame
from benchmarks.figures import Figure, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs

TASKS = 100_000
TASK_BYTES = 480
ENTRIES = 50_000
ENTRY_BYTES = 2_500
"""Together what a run may have at most (see `logs/bounds.py`)."""
TIMES = 5.0
ROUNDS = 5
_STEP_S = 0.001


def measure(lab: Lab) -> Iterator[Figure]:
    rows = {str(n): b'{"id":"%08d","title":"%s"}' % (n, b"x" * TASK_BYTES) for n in range(TASKS)}
    what = f"the loop, while a list of {TASKS:,} tasks is put together"
    yield _beside(lab, what, lambda: assembled(rows))
    entry = b'{"content":"%s"}' % (b"y" * ENTRY_BYTES)
    frames = [EntryFrame(n, n, entry) for n in range(ENTRIES)]
    what = f"… while {ENTRIES:,} final entries are written"
    path = lab.path("archive")
    yield _beside(lab, what, lambda: files.write(path, archive.lines(frames, "bench")))


def _beside(lab: Lab, what: str, work: Callable[[], object]) -> Figure:
    pairs = Pairs()
    for _ in range(lab.rounds(ROUNDS)):
        held, took = trio.run(_held, work)
        pairs.add(trio.run(_held, lambda took=took: _count(took))[0], held)
    return ratio(what, pairs, name="a thread that only counts, as long", at_most=TIMES)


def _count(seconds: float) -> None:
    """Keep the interpreter for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def _held(work: Callable[[], object]) -> tuple[float, float]:
    """The longest that a task which only sleeps was late while `work` ran in a thread.

    Returns:
        These seconds, and those that the work took.
    """
    latest = 0.0
    started = time.perf_counter()

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
    return latest, time.perf_counter() - started
