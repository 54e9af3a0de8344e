"""Plans of Codex: put before a person, and the decision sent back.

Theory of operation. Codex plans in a turn of its own and then rests; it does not ask. So the
question is Anyon's: it is open from the end of the turn until the log shows the next message about
it. Approval begins a turn in which the plan is carried out, a denial with a reason one in which
it is revised. Otherwise there is nothing more to do; that is written into the thread's history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anyond.agents.codex.handshake import Handshake
from anyond.agents.codex.questions import TIMED_OUT
from anyond.agents.codex.tool_calls import PLAN, Call
from anyond.agents.common.core import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
)
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text
from anyond.model.entries import Denied, StatusTimedOut, Succeeded

START, INJECT = "turn/start", "thread/inject_items"
APPROVED = "The user has approved the plan. Carry it out now."
DENIED = "The user does not want this plan to be carried out."
_MARK = "anyon-plan"


def message(texts: Sequence[str], mark: str | None = None) -> dict[str, Any]:
    """Return the parameters of a message to the agent, besides its thread.

    Args:
        mark: tells what Anyon says by itself from what a person says.
    """
    message = {"input": [{"type": "text", "text": text, "text_elements": []} for text in texts]}
    return {**message, **({"clientUserMessageId": mark} if mark else {})}


def texts_of(params: Mapping[str, Any]) -> list[str]:
    """The texts of a message to the agent, or of items for its history."""
    blocks = [as_dict(block) for block in as_list(params.get("input"))]
    for item in map(as_dict, as_list(params.get("items"))):
        blocks += map(as_dict, as_list(item.get("content")))
    return [as_text(block.get("text")) for block in blocks]


class Plan:
    """The plans of one run, and which of them waits for a person.

    Args:
        is_planning: whether to begin with a plan.

    Attributes:
        planning: whether the agent is to plan, and not yet to do.
    """

    def __init__(self, is_planning: bool, thread: Handshake) -> None:
        self._thread = thread
        self._asked = 0
        self._open: Call | None = None
        self.planning = is_planning

    @property
    def call(self) -> str | None:
        """The name of the open question."""
        return self._name if self._open is not None else None

    @property
    def _name(self) -> str:
        return f"plan:{self._asked}"

    def ask(self, plan: Call) -> ApprovalAsked:
        """The turn has ended with a plan: put it before a person."""
        self._asked += 1
        self._open = plan
        return ApprovalAsked(self._name, PLAN, {"plan": plan.entry().content}, plan.key)

    def mode(self) -> dict[str, Any]:
        """Return the parameters of the first prompt for the mode."""
        return self._mode("plan") if self.planning else {}

    def _mode(self, mode: str) -> dict[str, Any]:
        settings = {
            "model": self._thread.model,
            "reasoning_effort": self._thread.effort,
            "developer_instructions": None,
        }
        return {"collaborationMode": {"mode": mode, "settings": settings}}

    def decide(self, command: Decide) -> tuple[str, dict[str, Any]]:
        """The request that tells the agent the answer to the open question: method and params."""
        mark = f"{_MARK}:{self._asked}"
        if command.decision is Decision.APPROVED:
            return START, message([APPROVED], mark) | self._mode("default")
        if command.decision is Decision.DENIED and command.reason:
            return START, message([command.reason], mark) | self._mode("plan")
        text = TIMED_OUT if command.decision is Decision.TIMED_OUT else DENIED
        content = [{"type": "input_text", "text": text}]
        return INJECT, {"items": [{"type": "message", "role": "user", "content": content}]}

    def sent(
        self, method: str, params: Mapping[str, Any]
    ) -> tuple[Call | None, list[ApprovalAnswered | ApprovalWithdrawn]]:
        """The agent was told something: the plan that this is about, and what it does to it."""
        plan, text = self._open, "\n\n".join(texts_of(params))
        if plan is None:
            return None, []
        if method == INJECT:
            plan.judge(StatusTimedOut() if text == TIMED_OUT else Denied())
        elif as_text(params.get("clientUserMessageId")) != f"{_MARK}:{self._asked}":
            return None, list(self.withdraw())  # the conversation goes on without an answer
        elif text == APPROVED:
            self.planning = False
            plan.end(Succeeded())
        else:
            plan.judge(Denied(reason=text))
        self._open = None
        return plan, [ApprovalAnswered(self._name)]

    def withdraw(self) -> list[ApprovalWithdrawn]:
        """Nobody has to decide any more."""
        call, self._open = self.call, None
        return [] if call is None else [ApprovalWithdrawn(call)]
