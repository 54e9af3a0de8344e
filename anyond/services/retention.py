"""Retention: once a day, what the settings let go is removed, each in a job of its attempt."""

from __future__ import annotations

import time
from datetime import date, timedelta

import structlog
import trio

from anyond.actors.attempts import Attempts
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.operations import retention
from anyond.operations.resources import Resources
from anyond.services.jobs import Jobs
from anyond.store.upkeep import idle_attempts

log = structlog.get_logger()

_DAY_S = 24 * 3600.0
_LONGEST_PAUSE = timedelta(days=7)


class Retention:
    """A permanent service, which wakes up once a day."""

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._jobs = Jobs(resources, attempts)

    async def run(self) -> None:
        """Remove what is due, at the start and then once a day, for ever."""
        while True:
            await self.make_pass()
            await trio.sleep(_DAY_S)

    async def make_pass(self) -> None:
        """Remove what is due, unless the date has jumped since the pass before.

        A clock that is wrong for a day must not be what makes everything old. So the first pass
        after a jump, or ever, only notes its date.
        """
        config = self._resources.config.config
        if not config.worktrees_stay_days and not config.logs_stay_days:
            return
        today = now()[:10]
        former = await self._resources.store.write(lambda tx: idle_attempts.take_pass(tx, today))
        if former is None or not _is_near(former, today):
            log.info("retention_waits", date=today, former=former)
            return
        found = await self._resources.store.read(
            lambda reader: retention.due(reader, config, time.time())
        )
        for operation, idle in (
            (retention.remove_worktree, found.worktrees),
            (retention.remove_logs, found.logs),
        ):
            for one in idle:
                try:
                    await self._jobs.run(one.id, operation)
                except AnyondError as error:
                    # Something began there just now, or git cannot; tomorrow is another day.
                    log.info("not_retired", attempt=one.id, why=str(error))


def _is_near(former: str, today: str) -> bool:
    difference = date.fromisoformat(today) - date.fromisoformat(former)
    return timedelta(0) <= difference <= _LONGEST_PAUSE
