"""Polling GitHub for what became of pull requests."""

from __future__ import annotations

import time

import structlog
import trio

from anyond.model.errors import AnyondError
from anyond.model.ids import timestamp
from anyond.model.refusals.remotes import RateLimited, TokenInvalid, TokenMissing
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import PullRequestMerge
from anyond.operations.branch import pull_requests
from anyond.operations.resources import Resources
from anyond.store.runs import merges

log = structlog.get_logger()

AT_ONCE = 4
CLOSED_FOR_S = 7 * 24 * 3600.0
"""How long after it was made a closed pull request may still be opened again, for us."""
CLOSED_PAUSE_S = 600.0


class Monitor:
    """A permanent service; sleeps without waking up while no pull request can change."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._wakeup = trio.Event()
        self._basis = self._settings()
        self._tags: dict[str, str | None] = {}
        self._complaints: dict[str, str] = {}

    def wake(self) -> None:
        """There is a pull request to look at. Never waits."""
        self._wakeup.set()

    async def run(self) -> None:
        """Look for ever, and at once when settings change on which it depends."""
        token = trio.lowlevel.current_trio_token()

        def changed() -> None:
            token.run_sync_soon(self._reconsider, idempotent=True)

        with self._resources.config.following(changed):
            while True:
                self._wakeup = trio.Event()
                pause = await self.look()
                with trio.move_on_after(pause):
                    await self._wakeup.wait()

    def _reconsider(self) -> None:
        if self._settings() != self._basis:
            self.wake()

    def _settings(self) -> tuple[object, ...]:
        """The settings that a look depends on: how often, and as whom."""
        config = self._resources.config.config
        return config.pr_poll_interval_s, config.github.pat, config.github.oauth_token

    async def look(self) -> float:
        """Look once at everything that may have changed.

        Returns:
            Seconds until the next look; infinity if there is nothing to look at.
        """
        self._basis = self._settings()
        since = timestamp(time.time() - CLOSED_FOR_S)
        rows = await self._resources.store.read(lambda r: merges.undecided(r, since))
        self._forget_but(rows)
        if not rows:
            return float("inf")
        interval = self._resources.config.config.pr_poll_interval_s
        some_open = any(row.pr_info.status != "closed" for row in rows)
        pause = interval if some_open else max(interval, CLOSED_PAUSE_S)
        limit = trio.CapacityLimiter(AT_ONCE)
        stop: list[AnyondError] = []

        async def one(row: PullRequestMerge) -> None:
            async with limit:
                if not stop and (trouble := await self._look_at(row)) is not None:
                    stop.append(trouble)

        async with trio.open_nursery() as nursery:
            for row in rows:
                nursery.start_soon(one, row)
        waits = [error.wait_s for error in stop if isinstance(error, RateLimited)]
        return max([pause, *waits])

    async def _look_at(self, row: PullRequestMerge) -> AnyondError | None:
        """Look at one; returns what would go wrong with the others, too."""
        try:
            checked = await pull_requests.check(self._resources, row, self._tags.get(row.id))
        except NotFound:
            return None  # the attempt was deleted meanwhile
        except AnyondError as error:
            if self._complaints.get(row.id) != str(error):
                log.warning("pull_request_not_checked", url=row.pr_info.url, why=str(error))
            self._complaints[row.id] = str(error)
            return error if isinstance(error, RateLimited | TokenInvalid | TokenMissing) else None
        self._tags[row.id] = checked.etag
        self._complaints.pop(row.id, None)
        if checked.row.pr_info.status != row.pr_info.status:
            log.info("pull_request", url=row.pr_info.url, status=checked.row.pr_info.status)
        return None

    def _forget_but(self, rows: list[PullRequestMerge]) -> None:
        """Drop what is remembered of pull requests that are no longer looked at."""
        known = {row.id for row in rows}
        for memory in (self._tags, self._complaints):
            for id in [id for id in memory if id not in known]:
                del memory[id]
