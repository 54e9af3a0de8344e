"""The chapter Approvals: what agents ask before they act."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import ApprovalId
from anyond.model.access import Scope
from anyond.model.http.answers import DecisionAnswer
from anyond.model.http.bodies import Answer
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import AlreadyDecided
from anyond.model.rows import Approval, ApprovalStatus


class ApprovalsWithStatus(Struct, frozen=True, kw_only=True):
    """Requests for all approvals, or those with one status."""

    status: (
        Annotated[
            ApprovalStatus, Meta(description="Only those.", examples=[ApprovalStatus.PENDING])
        ]
        | None
    ) = None


class OfApproval(Struct, frozen=True, kw_only=True):
    """Requests for one approval."""

    approval_id: ApprovalId = field(name="id")


LIST_APPROVALS = Call(
    method="GET",
    path="/api/approvals",
    summary="List approvals",
    params=ApprovalsWithStatus,
    answer=list[Approval],
    cached=True,
)
RESPOND_TO_APPROVAL = BodyCall(
    method="POST",
    path="/api/approvals/{id}/respond",
    summary="Respond to approval",
    granted_by=Scope.DECIDE,
    params=OfApproval,
    text="The first answer wins; the same again is no mistake.",
    body=Answer,
    answer=DecisionAnswer,
    envelope_fields={"status": ApprovalStatus},
    refusals=(NotFound, AlreadyDecided),
)

CHAPTER = Chapter(
    "Approvals",
    "What agents ask before they act. Questions survive a restart of the daemon.",
    (
        LIST_APPROVALS,
        RESPOND_TO_APPROVAL,
    ),
)
