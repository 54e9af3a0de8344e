"""Declarations of the chapters Drafts and Approvals."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.http.openapi import examples, frames, problems
from anyond.http.openapi.chapters.attempts import KEY as ATTEMPT_KEY
from anyond.http.openapi.operation import (
    AFTER,
    FORMAT,
    WEBSOCKET,
    Chapter,
    Operation,
    Stream,
    key,
    needed,
    possible,
)
from anyond.http.routes.approvals import Answer
from anyond.model.answers import Decision
from anyond.model.bodies import ApprovalAnswer
from anyond.model.drafts import Draft, DraftPatch, DraftType, QueueWish
from anyond.model.rows import (
    Approval,
    ApprovalStatus,
)

_TYPE = possible("type", DraftType, "`follow_up` if left out.", DraftType.FOLLOW_UP)

DRAFTS = Chapter(
    "Drafts",
    "What a person is still writing to an agent, and what waits to be sent.",
    (
        Operation(
            method="GET",
            path="/api/task-attempts/{id}/draft",
            summary="Get draft",
            text="Without one it is an empty draft of version 0.",
            key=ATTEMPT_KEY,
            query=(_TYPE,),
            answer=Draft,
            example=examples.DRAFT,
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="PUT",
            path="/api/task-attempts/{id}/draft",
            summary="Save draft",
            text="What is left out stays; null clears. With a `version` it is refused if that is"
            " not the latest one.",
            key=ATTEMPT_KEY,
            query=(_TYPE,),
            body=DraftPatch,
            send=DraftPatch(prompt="Mention the price.", version=0),
            answer=Draft,
            example=examples.DRAFT,
            problems=(
                problems.NOT_FOUND,
                problems.IMPOSSIBLE,
                problems.STALE_DRAFT,
                problems.DRAFT_QUEUED,
                problems.DROPPED,
            ),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/draft/queue",
            summary="Queue draft for auto send",
            text="Sent exactly once, at once if nothing is at work, else when the agent is free."
            ' `{"queued": false}` takes it back.',
            key=ATTEMPT_KEY,
            query=(_TYPE,),
            body=QueueWish,
            optional=True,
            send=QueueWish(queued=True),
            answer=Draft,
            example=replace(examples.DRAFT, queued=True, version=2),
            problems=(
                *problems.JOB,
                problems.NOT_FOUND,
                problems.STALE_DRAFT,
                problems.EMPTY_DRAFT,
                problems.NO_AGENT,
            ),
        ),
        Operation(
            method="DELETE",
            path="/api/task-attempts/{id}/draft",
            summary="Delete draft",
            key=ATTEMPT_KEY,
            query=(_TYPE,),
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method=WEBSOCKET,
            path="/api/drafts/stream/ws",
            summary="Stream drafts",
            query=(
                needed("project_id", str, "The id of the project.", examples.PROJECT_ID),
                AFTER,
                FORMAT,
            ),
            stream=Stream(
                "DraftFrame",
                (frames.DraftSnapshot, frames.DraftUpdated),
                (
                    frames.DraftSnapshot(data=[], seq=47),
                    frames.DraftUpdated(data=examples.DRAFT, seq=48),
                ),
                "It has none; 1001 when the daemon stops.",
            ),
            problems=(problems.NOT_FOUND,),
        ),
    ),
)

APPROVALS = Chapter(
    "Approvals",
    "What agents ask before they act. Questions survive a restart of the daemon.",
    (
        Operation(
            method="GET",
            path="/api/approvals",
            summary="List approvals",
            query=(possible("status", ApprovalStatus, "Only those.", ApprovalStatus.PENDING),),
            answer=list[Approval],
            example=[examples.APPROVAL],
            cached=True,
        ),
        Operation(
            method="POST",
            path="/api/approvals/{id}/respond",
            summary="Respond to approval",
            text="The first answer wins; the same again is no mistake.",
            key=key("id", "approval", examples.APPROVAL_ID),
            body=Answer,
            send=Answer(
                status=ApprovalAnswer(status=ApprovalStatus.DENIED, reason="Not on a Friday.")
            ),
            answer=Decision,
            example=Decision(status=ApprovalStatus.DENIED, reason="Not on a Friday."),
            beside=(("status", ApprovalStatus),),
            problems=(problems.NOT_FOUND, problems.ALREADY_DECIDED),
        ),
    ),
)
