"""Requests about reviews, from a comment to the message that all of them become."""

from __future__ import annotations

import os
from collections.abc import Iterable

import trio
from msgspec.structs import replace

from anyond.model.drafts import DraftPatch, DraftType, QueueWish
from anyond.model.http.bodies import FollowUp
from anyond.model.http.reviews import (
    CommentState,
    Review,
    ReviewComment,
    Side,
    Submission,
    SubmittedAs,
)
from anyond.model.ids import now
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.operations.branch import comparison
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.operations.turn import review_text
from anyond.services.attempts import AttemptRequests
from anyond.services.drafts import DraftRequests
from anyond.store.runs import reviews


class ReviewRequests:
    """The requests of clients that concern reviews."""

    def __init__(
        self, resources: Resources, attempts: AttemptRequests, drafts: DraftRequests
    ) -> None:
        self._resources = resources
        self._attempts = attempts
        self._drafts = drafts
        self._submitting: set[str] = set()

    async def list_reviews(self, attempt_id: str) -> list[Review]:
        """The reviews, and of each sent comment whether its lines are still there."""
        found = await self._resources.store.read(lambda r: reviews.fetch_all(r, attempt_id))
        paths = {
            comment.path
            for review in found
            for comment in review.comments
            if comment.state is CommentState.SENT and comment.lines and comment.path
        }
        if not paths:
            return found
        texts = await self._texts(await read_subject(self._resources, attempt_id), paths)
        return [
            replace(one, comments=[_judged(comment, texts) for comment in one.comments])
            for one in found
        ]

    async def _texts(self, subject: Subject, paths: Iterable[str]) -> dict[str, str]:
        place, _ = await comparison.here(subject)
        return await trio.to_thread.run_sync(comparison.texts, place, list(paths))

    async def submit(self, attempt_id: str, submission: Submission) -> Review:
        """Send the open review to the agent, as one message.

        What could not be sent stays open. If the daemon is killed between the two, it stays open,
        too: better said twice than never.

        Raises:
            NotFound: there is no open review with a comment.
            Busy: it is just being submitted.
            AnyondError: it could not be sent; see `follow_up` and `DraftRequests.queue`.
        """
        if attempt_id in self._submitting:
            raise Busy.operation()
        self._submitting.add(attempt_id)
        try:
            with trio.CancelScope(shield=True):  # else it is sent, and nobody has written that down
                submitted = await self._submit(attempt_id, submission)
            return submitted
        finally:
            self._submitting.discard(attempt_id)

    async def _submit(self, attempt_id: str, submission: Submission) -> Review:
        review = await self._resources.store.read(lambda r: reviews.fetch_open(r, attempt_id))
        if review is None or not review.comments:
            raise NotFound("open review of the attempt", attempt_id)
        prompt = review_text.message(review, submission.text)
        how = submission.submit_as or SubmittedAs.MESSAGE
        if how is SubmittedAs.QUEUE:
            await self._queue(attempt_id, prompt)
        else:
            steer = True if how is SubmittedAs.STEER else None
            await self._attempts.follow_up(attempt_id, FollowUp(prompt=prompt, steer=steer))
        return await self._resources.store.write(lambda tx: reviews.submit(tx, review, how, now()))

    async def _queue(self, attempt_id: str, prompt: str) -> None:
        draft = await self._drafts.get(attempt_id, DraftType.FOLLOW_UP)
        if draft.prompt.strip():  # a person has begun to write: that stays, and comes first
            prompt = f"{draft.prompt.rstrip()}\n\n{prompt}"
        if draft.queued:
            await self._drafts.queue(attempt_id, QueueWish(queued=False))
        await self._drafts.save(attempt_id, DraftType.FOLLOW_UP, DraftPatch(prompt=prompt))
        await self._drafts.queue(attempt_id, QueueWish())


def _judged(comment: ReviewComment, texts: dict[str, str]) -> ReviewComment:
    if comment.state is not CommentState.SENT or not comment.lines or not comment.path:
        return comment
    text = f"\n{texts.get(os.path.normpath(comment.path), '')}\n"
    there = f"\n{comment.lines.rstrip(chr(10))}\n" in text
    same = there if comment.side is Side.NEW else not there
    return replace(comment, state=CommentState.UNTOUCHED if same else CommentState.CHANGED)
