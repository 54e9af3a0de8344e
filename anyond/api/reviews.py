"""The chapter Reviews: comments that collect, and go to the agent as one message."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import OfAttempt
from anyond.api.declaration.refusal_groups import JOB
from anyond.model.fields import Id
from anyond.model.http.reviews import (
    CommentPatch,
    NewComment,
    Review,
    SeeingFile,
    SeenFile,
    Submission,
)
from anyond.model.refusals.drafts import EmptyDraft, StaleDraft
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import NoAgent


class OfComment(OfAttempt, frozen=True, kw_only=True):
    """Requests for one comment of an attempt."""

    comment_id: Annotated[
        Id, Meta(description="The id of the comment.", examples=[samples.COMMENT_ID])
    ]


LIST_REVIEWS = Call(
    method="GET",
    path="/api/task-attempts/{id}/reviews",
    summary="List reviews",
    params=OfAttempt,
    text="The open one first, then the newest. Of comments that were sent, `state` says whether the"
    " lines that they are about have changed since.",
    answer=list[Review],
    cached=True,
    refusals=(NotFound,),
)
ADD_COMMENT = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/reviews/comments",
    summary="Add comment",
    params=OfAttempt,
    text="To the open review, which is made if there is none; the answer is all of it.",
    body=NewComment,
    answer=Review,
    refusals=(NotFound,),
)
EDIT_COMMENT = BodyCall(
    method="PUT",
    path="/api/task-attempts/{id}/reviews/comments/{comment_id}",
    summary="Edit comment",
    params=OfComment,
    body=CommentPatch,
    answer=Review,
    refusals=(NotFound,),
)
DELETE_COMMENT = Call(
    method="DELETE",
    path="/api/task-attempts/{id}/reviews/comments/{comment_id}",
    summary="Delete comment",
    params=OfComment,
    answer=Review,
    refusals=(NotFound,),
)
SUBMIT_REVIEW = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/reviews/submit",
    summary="Submit review",
    params=OfAttempt,
    text="Sends all comments of the open review as one message: now (`message`), when the agent is"
    " free (`queue`; after what is in the draft already), or into the turn that runs (`steer`).",
    body=Submission,
    optional=True,
    answer=Review,
    refusals=(*JOB, NotFound, NoAgent, StaleDraft, EmptyDraft),
)
LIST_FILES_SEEN = Call(
    method="GET",
    path="/api/task-attempts/{id}/files-seen",
    summary="List files seen",
    params=OfAttempt,
    text="A file is seen as long as it has the `version` that it was marked with.",
    answer=list[SeenFile],
    cached=True,
    refusals=(NotFound,),
)
MARK_FILE_SEEN = BodyCall(
    method="PUT",
    path="/api/task-attempts/{id}/files-seen",
    summary="Mark file seen",
    params=OfAttempt,
    text="With the `version` of the list of changed files; without one it is unseen.",
    body=SeeingFile,
    answer=list[SeenFile],
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Reviews",
    "Comments of a person that collect, and go to the agent as one message.",
    (
        LIST_REVIEWS,
        ADD_COMMENT,
        EDIT_COMMENT,
        DELETE_COMMENT,
        SUBMIT_REVIEW,
        LIST_FILES_SEEN,
        MARK_FILE_SEEN,
    ),
)
