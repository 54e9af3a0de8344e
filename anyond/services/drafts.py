"""Requests about drafts, and the sender of the queued ones."""

from __future__ import annotations

import trio

from anyond.actors.attempts import Attempts
from anyond.model.drafts import Draft, DraftPatch, DraftType, QueueWish
from anyond.model.ids import now
from anyond.model.refusals.runs import Busy
from anyond.operations.resources import Resources
from anyond.operations.run import queue
from anyond.operations.run.follow_up import check
from anyond.services.jobs import Jobs
from anyond.store.board import drafts
from anyond.store.engine.transaction import Tx


class DraftRequests:
    """The requests of clients that concern drafts.

    A queued draft is an intention in the database. Whoever is at work in the attempt ends by
    sending it; a job of ours does when nobody is. Both find it there once.
    """

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._jobs = Jobs(resources, attempts)

    async def get(self, attempt_id: str, type: DraftType) -> Draft:
        """The draft as it is; an empty one of version 0 if there is none."""
        return await self._resources.store.read(lambda r: drafts.get(r, attempt_id, type))

    async def save(self, attempt_id: str, type: DraftType, patch: DraftPatch) -> Draft:
        """Change what `patch` names; see `store.drafts.save` for the refusals."""
        return await self._resources.store.write(
            lambda tx: drafts.save(tx, attempt_id, type, patch, now())
        )

    async def delete(self, attempt_id: str, type: DraftType) -> None:
        """Empty it, queued or not."""
        await self._resources.store.write(lambda tx: drafts.delete(tx, attempt_id, type, now()))

    async def queue(self, attempt_id: str, request: QueueWish) -> Draft:
        """Queue the follow-up, or take it back.

        If nobody is at work in the attempt it is sent now; the answer then is the draft as it is
        being sent.

        Raises:
            NotFound: no such attempt.
            Conflict: nothing to send, or not what the client had seen, or no agent has run yet.
            Impossible: no such variant.
            AnyondError: it could not be started now; the draft is there, not queued.
        """

        def work(tx: Tx) -> Draft:
            draft = drafts.queue(tx, attempt_id, request, now())
            if draft.queued:
                check(tx, self._resources, attempt_id, draft.variant)
            return draft

        with trio.CancelScope(shield=True):
            draft = await self._resources.store.write(work)
        if not draft.queued:
            return draft
        try:
            sent = await self._jobs.start(attempt_id, queue.send_queued)
        except Busy:
            self._jobs.start_later(attempt_id, queue.send_queued)
            return draft
        except trio.Cancelled:
            self._jobs.start_later(attempt_id, queue.send_queued)
            raise
        return draft.being_sent() if sent else await self.get(attempt_id, DraftType.FOLLOW_UP)

    async def recover(self) -> None:
        """Send what was queued when the last daemon ended, as soon as its attempt is free."""
        for attempt_id in await self._resources.store.read(drafts.attempts_with_queued):
            self._jobs.start_later(attempt_id, queue.send_queued)
