"""The chapter Approvals: what agents ask before they act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct
from quart import Blueprint, Response, request

from anyond.http import decode
from anyond.http.decode import prose
from anyond.http.envelope import JSON, cached, encode
from anyond.http.query import identity
from anyond.model.answers import Decision
from anyond.model.bodies import ApprovalAnswer
from anyond.model.errors import Invalid
from anyond.model.rows import Approval, ApprovalStatus
from anyond.store import approvals

if TYPE_CHECKING:
    from anyond.actors.services import Services

_DECISIONS = {ApprovalStatus.APPROVED, ApprovalStatus.DENIED}


class Answer(Struct, frozen=True, kw_only=True):
    """The body of an answer to a question; what else clients send with it is not needed."""

    status: ApprovalAnswer


def routes(services: Services) -> Blueprint:
    """`/api/approvals` and below."""
    chapter = Blueprint("approvals", __name__, url_prefix="/api/approvals")
    store = services.store

    @chapter.get("")
    async def listed() -> Response:
        status = _status(request.args.get("status"))
        return cached(await store.read(lambda r: approvals.all(r, status)))

    @chapter.post("/<key>/respond")
    async def respond(key: str) -> Response:
        id = identity(key, "approval_id")
        given = (await decode.body(Answer)).status
        if given.status not in _DECISIONS:
            raise Invalid("status.status", "must be approved or denied")
        prose(given.reason, "status.reason")
        return _decided(await services.attempts.respond(id, given))

    return chapter


def _status(text: str | None) -> ApprovalStatus | None:
    if not text:
        return None
    try:
        return ApprovalStatus(text)
    except ValueError:
        known = ", ".join(status.value for status in ApprovalStatus)
        raise Invalid("status", f"is not one of {known}") from None


def decision(approval: Approval) -> Decision:
    """What was decided, or that it is pending."""
    return Decision(
        status=approval.status,
        reason=UNSET if approval.reason is None else approval.reason,
        answers=UNSET if approval.answers is None else approval.answers,
    )


def _decided(approval: Approval) -> Response:
    """The envelope, and beside it the bare `status` that the API has always answered here."""
    body = {
        "success": True,
        "data": decision(approval),
        "error_data": None,
        "message": None,
        "status": approval.status,
    }
    return Response(encode(body), content_type=JSON)
