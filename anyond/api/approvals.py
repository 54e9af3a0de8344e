"""The chapter Approvals: what agents ask before they act."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import ApprovalId, ProjectId
from anyond.model.access import Scope
from anyond.model.fields import Id
from anyond.model.http.answers import DecisionAnswer
from anyond.model.http.bodies import Answer
from anyond.model.http.rules import ApprovalRule
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


class RulesOfProject(Struct, frozen=True, kw_only=True):
    """Requests for the rules of all projects, or of one."""

    project_id: ProjectId | None = None


class OfRule(Struct, frozen=True, kw_only=True):
    """Requests for one rule."""

    rule_id: Annotated[
        Id, Meta(description="The id of the rule.", examples=[samples.APPROVAL_ID])
    ] = field(name="id")


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
    text="The first answer wins; the same again is no mistake. A yes with a `scope` makes a rule,"
    " which answers other open questions of its reach, and later ones.",
    body=Answer,
    answer=DecisionAnswer,
    envelope_fields={"status": ApprovalStatus},
    refusals=(NotFound, AlreadyDecided),
)

LIST_APPROVAL_RULES = Call(
    method="GET",
    path="/api/approval-rules",
    summary="List approval rules",
    params=RulesOfProject,
    text="What is allowed without asking, the newest first; rules of a turn until it is over.",
    answer=list[ApprovalRule],
    cached=True,
)
DELETE_APPROVAL_RULE = Call(
    method="DELETE",
    path="/api/approval-rules/{id}",
    summary="Delete approval rule",
    granted_by=Scope.DECIDE,
    params=OfRule,
    text="From now on it is asked again.",
    answer=NoneType,
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Approvals",
    "What agents ask before they act. Questions survive a restart of the daemon.",
    (
        LIST_APPROVALS,
        RESPOND_TO_APPROVAL,
        LIST_APPROVAL_RULES,
        DELETE_APPROVAL_RULE,
    ),
)
