"""Permissions: from the agent to a person and back, or granted without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.calls.drafts import Drafts
from anyond.agents.acp.conversation.entries import AcpEntries
from anyond.agents.acp.permission.denials import Denials
from anyond.agents.acp.permission.questions import CANCELLED, Questions, reason_in
from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.common.core import ApprovalAnswered, ApprovalAsked, ApprovalWithdrawn
from anyond.agents.json_rpc.jsonrpc import Id, Link, Request, as_dict, as_list


class Permissions:
    """Those of one run.

    Args:
        options: which of them a person is asked for.
        drafts: what is already known of the calls that they are about.

    Attributes:
        denials: what was denied in this turn.
    """

    def __init__(
        self, options: AcpOptions, link: Link, entries: AcpEntries, drafts: Drafts
    ) -> None:
        self._options = options
        self._link = link
        self._entries = entries
        self._drafts = drafts
        self._questions = Questions()
        self.denials = Denials()

    def requested(self, request: Request, cancelling: bool) -> None:
        """The agent asks for one; nobody is bothered any more while all is being stopped."""
        fields = self._drafts.completed(as_dict(request.params.get("toolCall")))
        key, tool = self._entries.tool(fields, asking=True)
        again = self._questions.close(request.id)
        if again is not None and again.call is not None:
            self._entries.emit(ApprovalWithdrawn(again.call))
        # Whoever wants a plan wants to see it, even if everything after it is allowed.
        asks = self._options.asks or (bool(self._options.plan) and tool.is_plan)
        silent = cancelling or not asks
        options = as_list(request.params.get("options"))
        question = self._questions.add(request.id, key, tool.title, options, silent)
        if question.call is None:
            answer = CANCELLED if cancelling else question.answer(approved=True)
            self._link.answer(request.id, answer)
            return
        asked = fields.get("rawInput") or tool.question
        self._entries.emit(ApprovalAsked(question.call, tool.title, asked, key))

    def decide(self, call: str, approved: bool, reason: str | None) -> None:
        """Queue the answer of a person, if the question is still open."""
        if (question := self._questions.named(call)) is not None:
            self._link.answer(question.id, question.answer(approved, reason))

    def cancel(self) -> None:
        """Queue an answer to all that are open: some agents would wait for ever for one."""
        for question in self._questions.open:
            self._link.answer(question.id, CANCELLED)

    def answered(self, id: Id, answer: Mapping[str, Any], cancelling: bool) -> None:
        """The agent was told this answer to one of its requests."""
        question = self._questions.close(id)
        if question is None or question.call is None:
            return
        if cancelling and as_dict(answer.get("outcome")).get("outcome") != "selected":
            self._entries.emit(ApprovalWithdrawn(question.call))
            return
        self._entries.emit(ApprovalAnswered(question.call))
        if question.refused_by(answer):
            self.denials.add(question.title, reason_in(answer))
            self._entries.denied(question.entry_key)

    def withdraw(self) -> None:
        """Nobody waits for an answer any more."""
        for question in self._questions.clear():
            if question.call is not None:
                self._entries.emit(ApprovalWithdrawn(question.call))
