"""Requests about dev servers: one lives in each project."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import trio

from anyond.actors.attempts import Attempts
from anyond.model.rows import ExecutionProcess
from anyond.operations.resources import Resources
from anyond.operations.run import dev_server
from anyond.operations.subject import read as read_subject
from anyond.services.jobs import Jobs
from anyond.store.runs import processes


class DevServers:
    """The requests of clients that concern dev servers."""

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._attempts = attempts
        self._jobs = Jobs(resources, attempts)
        self._starting: WeakValueDictionary[str, trio.Lock] = WeakValueDictionary()

    async def start(self, attempt_id: str) -> None:
        """Start the project's dev server here, after all others of the project have ended.

        Raises:
            Conflict: `no_dev_script`; nothing was stopped.
            Busy: an operation is at work in the attempt; an agent or script does not count.
        """
        subject = await read_subject(self._resources, attempt_id)
        dev_server.script(subject)
        # Shielded: a client that goes away must not let another start one at the same time.
        with trio.CancelScope(shield=True):
            async with self._one_at_a_time(subject.project.id):
                await self._stop_all(subject.project.id)
                await self._jobs.start_alongside(attempt_id, dev_server.insert)

    async def _stop_all(self, project_id: str) -> None:
        async def stop(row: ExecutionProcess) -> None:
            await self._attempts.halt_process(row.task_attempt_id, row.id)

        rows = await self._resources.store.read(
            lambda r: processes.dev_servers_of_project(r, project_id)
        )
        async with trio.open_nursery() as nursery:
            for row in rows:
                nursery.start_soon(stop, row)

    @asynccontextmanager
    async def _one_at_a_time(self, project_id: str) -> AsyncIterator[None]:
        # A lock lives as long as somebody holds or awaits it.
        lock = self._starting.setdefault(project_id, trio.Lock())
        async with lock:
            yield
