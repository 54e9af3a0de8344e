"""The chapter Approvals: what agents ask before they act."""

from __future__ import annotations

from msgspec import UNSET

from anyond.api import approvals as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import DecisionAnswer
from anyond.model.http.bodies import Answer
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import Approval, ApprovalStatus
from anyond.store.runs import approvals

_DECISIONS = {ApprovalStatus.APPROVED, ApprovalStatus.DENIED}


async def list_approvals(backend: Backend, params: api.ApprovalsWithStatus) -> list[Approval]:
    return await backend.store.read(lambda r: approvals.fetch_all(r, params.status))


async def respond(backend: Backend, params: api.OfApproval, body: Answer) -> DecisionAnswer:
    given = body.status
    if given.status not in _DECISIONS:
        raise Invalid("status.status", "must be approved or denied")
    return decision(await backend.services.attempts.respond(params.approval_id, given))


def decision(approval: Approval) -> DecisionAnswer:
    """Return the decision, or that it is pending."""
    return DecisionAnswer(
        status=approval.status,
        reason=UNSET if approval.reason is None else approval.reason,
        answers=UNSET if approval.answers is None else approval.answers,
    )


ROUTES = (
    route(api.LIST_APPROVALS, list_approvals),
    route(api.RESPOND_TO_APPROVAL, respond),
)
