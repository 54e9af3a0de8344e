"""The chapter Drafts: what a person is still writing to an agent."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter, Stream
from anyond.api.declaration.params import Followed, OfAttempt, ProjectId
from anyond.api.declaration.refusal_groups import JOB
from anyond.model.drafts import Draft, DraftPatch, DraftType, QueueWish
from anyond.model.http import frames
from anyond.model.refusals.drafts import DraftQueued, EmptyDraft, StaleDraft
from anyond.model.refusals.requests import Impossible, NotFound
from anyond.model.refusals.runs import Dropped, NoAgent


class OfDraft(OfAttempt, frozen=True, kw_only=True):
    """Requests for one of the drafts of an attempt."""

    type: Annotated[
        DraftType, Meta(description="`follow_up` if left out.", examples=[DraftType.FOLLOW_UP])
    ] = DraftType.FOLLOW_UP


class FollowedDrafts(Followed, frozen=True, kw_only=True):
    """Requests for a stream of all drafts of a project."""

    project_id: ProjectId


GET_DRAFT = Call(
    method="GET",
    path="/api/task-attempts/{id}/draft",
    summary="Get draft",
    params=OfDraft,
    text="Without one it is an empty draft of version 0.",
    answer=Draft,
    cached=True,
    refusals=(NotFound,),
)
SAVE_DRAFT = BodyCall(
    method="PUT",
    path="/api/task-attempts/{id}/draft",
    summary="Save draft",
    params=OfDraft,
    text="What is left out stays; null clears. With a `version` it is refused if that is"
    " not the latest one.",
    body=DraftPatch,
    answer=Draft,
    refusals=(
        NotFound,
        Impossible,
        StaleDraft,
        DraftQueued,
        Dropped,
    ),
)
QUEUE_DRAFT_FOR_AUTO_SEND = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/draft/queue",
    summary="Queue draft for auto send",
    params=OfDraft,
    text="Sent exactly once, at once if nothing is at work, else when the agent is free."
    ' `{"queued": false}` takes it back.',
    body=QueueWish,
    optional=True,
    answer=Draft,
    refusals=(
        *JOB,
        NotFound,
        StaleDraft,
        EmptyDraft,
        NoAgent,
    ),
)
DELETE_DRAFT = Call(
    method="DELETE",
    path="/api/task-attempts/{id}/draft",
    summary="Delete draft",
    params=OfDraft,
    answer=NoneType,
    refusals=(NotFound,),
)
STREAM_DRAFTS = Stream(
    path="/api/drafts/stream/ws",
    summary="Stream drafts",
    params=FollowedDrafts,
    name="DraftFrame",
    frames=(frames.DraftSnapshot, frames.DraftUpdated),
    end="It has none; 1001 when the daemon stops.",
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Drafts",
    "What a person is still writing to an agent, and what waits to be sent.",
    (
        GET_DRAFT,
        SAVE_DRAFT,
        QUEUE_DRAFT_FOR_AUTO_SEND,
        DELETE_DRAFT,
        STREAM_DRAFTS,
    ),
)
