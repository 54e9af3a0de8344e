"""Examples of the chapter Approvals."""

from __future__ import annotations

from anyond.api import approvals
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import DecisionAnswer
from anyond.model.http.bodies import Answer, ApprovalAnswer
from anyond.model.rows import ApprovalStatus

EXAMPLES: Examples = {
    approvals.LIST_APPROVALS: Example(answer=[things.APPROVAL]),
    approvals.RESPOND_TO_APPROVAL: Example(
        send=Answer(status=ApprovalAnswer(status=ApprovalStatus.DENIED, reason="Not on a Friday.")),
        answer=DecisionAnswer(status=ApprovalStatus.DENIED, reason="Not on a Friday."),
    ),
}
