"""The wakeup of all tasks that follow one growing thing."""

from __future__ import annotations

from typing import Any

import trio


class Wakeup:
    """Something grew.

    A follower checks what is new, and if nothing is, awaits `wait()`. Between the check and the
    wait there must be no checkpoint; then no notification is ever missed. Nobody keeps a queue, so
    a slow follower costs nothing and a dead one leaves nothing behind.

    Attributes:
        count: how many notifications there were.
    """

    __slots__ = ("_waiting", "count")

    def __init__(self) -> None:
        self.count = 0
        self._waiting: dict[trio.lowlevel.Task, None] = {}

    def notify(self) -> None:
        """Wake everyone who waits now. Never waits itself."""
        self.count += 1
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for task in waiting:
                trio.lowlevel.reschedule(task)

    async def wait(self) -> None:
        """Return at the next notification."""
        # Not by events: there would be a new one for each line of each agent.
        task, waiting = trio.lowlevel.current_task(), self._waiting

        def abort(_: Any) -> trio.lowlevel.Abort:
            del waiting[task]
            return trio.lowlevel.Abort.SUCCEEDED

        waiting[task] = None
        await trio.lowlevel.wait_task_rescheduled(abort)
