"""The chapter Inbox: what waits for a person, over all projects."""

from __future__ import annotations

from msgspec import Struct

from anyond.api.declaration.endpoint import Call, Chapter, Stream
from anyond.api.declaration.params import Followed, ProjectId
from anyond.model.http import frames
from anyond.model.http.inbox import InboxItem
from anyond.model.refusals.requests import NotFound


class InboxOf(Struct, frozen=True, kw_only=True):
    """Requests for what waits, in all projects or in one."""

    project_id: ProjectId | None = None


class FollowedInbox(Followed, frozen=True, kw_only=True):
    """Requests for a stream of what waits."""

    project_id: ProjectId | None = None


LIST_INBOX = Call(
    method="GET",
    path="/api/inbox",
    summary="List inbox",
    params=InboxOf,
    text="Questions of agents first, then what failed, what has stopped at a conflict, what has"
    " finished and nobody has seen, and messages that were begun; of each, the longest waiting"
    " first.",
    answer=list[InboxItem],
    cached=True,
    refusals=(NotFound,),
)
STREAM_INBOX = Stream(
    path="/api/inbox/stream/ws",
    summary="Stream inbox",
    params=FollowedInbox,
    name="InboxFrame",
    text="The whole inbox, at once and whenever it has become another one. `after` is not needed,"
    " and means nothing.",
    frames=(frames.InboxSnapshot,),
    end="It has none; 1001 when the daemon stops.",
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Inbox", "What waits for a person, over all projects.", (LIST_INBOX, STREAM_INBOX)
)
