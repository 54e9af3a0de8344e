"""The chapter Approvals: what agents ask before they act."""

from __future__ import annotations

from msgspec import UNSET

from anyond.api import approvals as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import DecisionAnswer
from anyond.model.http.bodies import Answer
from anyond.model.http.rules import ApprovalRule
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import Approval, ApprovalStatus
from anyond.store.runs import approval_rules, approvals

_DECISIONS = {ApprovalStatus.APPROVED, ApprovalStatus.DENIED}


async def list_approvals(backend: Backend, params: api.ApprovalsWithStatus) -> list[Approval]:
    return await backend.store.read(lambda r: approvals.fetch_all(r, params.status))


async def respond(backend: Backend, params: api.OfApproval, body: Answer) -> DecisionAnswer:
    given = body.status
    if given.status not in _DECISIONS:
        raise Invalid("status.status", "must be approved or denied")
    return decision(await backend.services.attempts.respond(params.approval_id, given))


async def list_rules(backend: Backend, params: api.RulesOfProject) -> list[ApprovalRule]:
    return await backend.store.read(lambda r: approval_rules.fetch_all(r, params.project_id))


async def delete_rule(backend: Backend, params: api.OfRule) -> None:
    await backend.store.write(lambda tx: approval_rules.delete(tx, params.rule_id))


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
    route(api.LIST_APPROVAL_RULES, list_rules),
    route(api.DELETE_APPROVAL_RULE, delete_rule),
)
