"""The chapter Events: everything that happens, as Server-Sent Events or through a WebSocket."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from anyond.api.declaration.endpoint import Chapter, EventStream, Stream, header
from anyond.api.declaration.params import Followed
from anyond.model.http import frames
from anyond.model.rows import (
    Approval,
    ExecutionProcess,
    PullRequestMerge,
    TaskAttempt,
    TaskWithAttemptStatus,
)


class FollowedEvents(Followed, frozen=True, kw_only=True):
    """Requests for the stream of all events."""

    last_event_id: (
        Annotated[int, Meta(description="As `after`, and before it."), header("Last-Event-ID")]
        | None
    ) = None


RESYNC = "resync"
"""The event that is no change: the client has to read the records again."""

FOLLOW_EVENTS = EventStream(
    method="GET",
    path="/api/events",
    summary="Follow events",
    params=FollowedEvents,
    text="Each event has an `id`; a client that comes back with it as `Last-Event-ID`, or"
    " as `after`, misses nothing, also across a restart of the daemon.",
    events={
        "task_created": TaskWithAttemptStatus,
        "task_updated": TaskWithAttemptStatus,
        "task_deleted": TaskWithAttemptStatus,
        "attempt_created": TaskAttempt,
        "attempt_updated": TaskAttempt,
        "process_started": ExecutionProcess,
        "process_completed": ExecutionProcess,
        "pr_status_changed": PullRequestMerge,
        "approval_requested": Approval,
        "approval_resolved": Approval,
        RESYNC: frames.EventsLost,
    },
    end="It ends when the daemon stops.",
)

STREAM_EVENTS = Stream(
    path="/api/events/ws",
    summary="Stream events",
    params=Followed,
    text="The same events as frames of a WebSocket, of which a browser may have more than six"
    " at once. Without `after`, and where that position is held no longer, it begins with"
    " `EventsBegin`: read the records then.",
    name="EventFrame",
    frames=(
        frames.EventsBegin,
        frames.TaskCreated,
        frames.TaskUpdated,
        frames.TaskDeleted,
        frames.AttemptCreated,
        frames.AttemptUpdated,
        frames.ProcessStarted,
        frames.ProcessCompleted,
        frames.PrStatusChanged,
        frames.ApprovalRequested,
        frames.ApprovalResolved,
    ),
    end="It has none; 1001 when the daemon stops.",
)

CHAPTER = Chapter(
    "Events",
    "Everything that happens, as Server-Sent Events and through a WebSocket.",
    (FOLLOW_EVENTS, STREAM_EVENTS),
)
