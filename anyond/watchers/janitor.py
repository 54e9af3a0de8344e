"""Deleting what nobody needs: at the start, after each deletion, and once a day."""

from __future__ import annotations

import gc
import sys
import time

import trio

from anyond.git.disk.locks import ABANDONED_S
from anyond.host.memory import give_back
from anyond.model.ids import now
from anyond.operations import backup
from anyond.operations.resources import Resources
from anyond.operations.workspace import images, unowned, worktree
from anyond.operations.workspace.removal import clean_up, sweep, sweep_locks
from anyond.store.upkeep import days

DAY = 24 * 3600.0


class Janitor:
    """A permanent service; between two days it wakes up only if there is something to do."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._wakeup = trio.Event()
        self._wakeup.set()
        self._began = time.time()

    def wake(self) -> None:
        """There is something to clear away. Never waits."""
        self._wakeup.set()

    async def run(self) -> None:
        """Clear away for ever."""
        await worktree.find_all_again(self._resources)
        await sweep(self._resources, self._began)
        # Locks that were left just now are known to be left some seconds later.
        pause = ABANDONED_S + 1
        is_start = True
        while True:
            with trio.move_on_after(pause) as waited:
                await self._wakeup.wait()
            if waited.cancelled_caught:
                await sweep_locks(self._resources)
                pause = DAY
            self._wakeup = trio.Event()
            day, is_new = await self._resources.store.write(lambda tx: days.count(tx, now()[:10]))
            if is_new:
                await backup.make(self._resources)
            await clean_up(self._resources, day)
            await images.clean_up(self._resources, day)
            if is_start:  # its removals are through, so what is left over belongs to nobody
                await unowned.report(self._resources)
                is_start = False


MANY_PASSES = 10
"""Passes through the young objects: 30,000 may have grown old by then."""

COLLECT_S = 1.0
"""Seconds between two collections at least."""

FEW_BLOCKS = 200_000
"""Pieces of memory, beyond those at the start, that are looked through in a few hundredths of a
second."""


async def collect_garbage() -> None:
    """Look through all objects for circles of garbage when that is due, for ever.

    The thresholds of a daemon (see `daemon/serving.py`) keep Python from looking through the oldest
    objects in the middle of a request: with thousands of clients that takes a second in which
    nobody is served. What was in use when the young ones were looked through is old, though, and
    stays if it becomes a circle. So all are looked through when there were some such passes and it
    does not take long, and once a day in any case. What was there at the start is frozen and not
    among them. An idle daemon is not woken by any of this.
    """
    token = trio.lowlevel.current_trio_token()
    at_start = sys.getallocatedblocks()
    passes, due = 0, trio.Event()

    def count(phase: str, info: dict[str, int]) -> None:
        nonlocal passes
        if phase == "stop" and info["generation"] == 1:
            passes += 1
            if passes == MANY_PASSES:  # in whichever thread
                token.run_sync_soon(wake)

    def wake() -> None:
        due.set()

    gc.callbacks.append(count)
    try:
        while True:
            with trio.move_on_after(DAY) as day:
                await due.wait()
            passes, due = 0, trio.Event()
            if day.cancelled_caught or sys.getallocatedblocks() - at_start < FEW_BLOCKS:
                gc.collect()
                # Nobody waits for it.
                trio.lowlevel.start_thread_soon(give_back, lambda _: None)
            await trio.sleep(COLLECT_S)
    finally:
        gc.callbacks.remove(count)
