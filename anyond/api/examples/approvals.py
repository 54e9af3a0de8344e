"""Examples of the chapter Approvals."""

from __future__ import annotations

from anyond.api import approvals
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import DecisionAnswer
from anyond.model.http.bodies import Answer, ApprovalAnswer
from anyond.model.http.rules import ApprovalRule, ApprovalScope, RuleMatch
from anyond.model.rows import ApprovalStatus

EXAMPLES: Examples = {
    approvals.LIST_APPROVALS: Example(answer=[things.APPROVAL]),
    approvals.RESPOND_TO_APPROVAL: Example(
        send=Answer(status=ApprovalAnswer(status=ApprovalStatus.DENIED, reason="Not on a Friday.")),
        answer=DecisionAnswer(status=ApprovalStatus.DENIED, reason="Not on a Friday."),
    ),
    approvals.LIST_APPROVAL_RULES: Example(
        answer=[
            ApprovalRule(
                id=samples.APPROVAL_ID,
                scope=ApprovalScope.ATTEMPT,
                match=RuleMatch.SAME,
                project_id=samples.PROJECT_ID,
                task_attempt_id=samples.ATTEMPT_ID,
                execution_process_id=None,
                tool_name=things.APPROVAL.tool_name,
                tool_input=things.APPROVAL.tool_input,
                uses=2,
                created_at=things.MOMENT,
            )
        ]
    ),
}
