"""Permission requests of Claude Code: who decides, and the wording of the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from anyond.agents.claude import wire
from anyond.agents.claude.calls.tools import PLAN, QUESTION, Call
from anyond.agents.claude.consent import Consent
from anyond.agents.claude.outbox import Outbox
from anyond.agents.common.core import Decide, Decision
from anyond.agents.common.entry import Source
from anyond.model.entries import Denied, StatusTimedOut

DENIED = "The user denied this."
TIMED_OUT = "Nobody answered the request for permission in time."

# Never "bypassPermissions": that mode is refused unless the program was started with it.
_EDITING = [{"type": "setMode", "mode": "acceptEdits", "destination": "session"}]


class Question(Struct, frozen=True):
    """A request for permission that has not been answered.

    Args:
        given: the tool's input as it came, byte for byte.
        automatic: no person is asked.
    """

    entry: Source
    tool_name: str
    given: Raw
    automatic: bool


class Questions:
    """The open questions of a run."""

    def __init__(self, consent: Consent, outbox: Outbox) -> None:
        self._consent = consent
        self._outbox = outbox
        self._open: dict[str, Question] = {}
        self._plan_approved = False

    def ask(self, request_id: str, entry: Source, tool_name: str, given: Raw) -> bool:
        """The agent asks; if nobody has to decide, the answer is queued.

        Returns:
            Whether a person must decide. A question to the person is always theirs.
        """
        allowed = self._consent is Consent.ALWAYS or self._plan_approved
        automatic = allowed and tool_name != QUESTION
        question = self._open[request_id] = Question(entry, tool_name, given, automatic)
        if automatic:
            self._answer(request_id, self._allow(question, None))
        return not automatic

    def decide(self, command: Decide) -> None:
        """Queue a person's answer; one to an unknown or answered question is ignored."""
        question = self._open.get(command.call)
        if question is None or question.automatic or self._outbox.holds(_name(command.call)):
            return
        match command.decision:
            case Decision.APPROVED:
                answer = self._allow(question, command.answers)
            case Decision.DENIED:
                answer = {"behavior": "deny", "message": command.reason or DENIED}
            case Decision.TIMED_OUT:
                answer = {"behavior": "deny", "message": TIMED_OUT}
        self._answer(command.call, answer)

    def answered(self, request_id: str, answer: wire.Answer) -> Question | None:
        """The log shows the answer to a request of theirs; the question, if it was open."""
        self._outbox.echoed(_name(request_id))
        question = self._open.pop(request_id, None)
        if question is None:
            return None
        if answer.behavior == "deny" and isinstance(question.entry, Call):
            late = answer.message == TIMED_OUT
            question.entry.status = StatusTimedOut() if late else Denied(reason=answer.message)
        elif (
            answer.behavior == "allow"
            and question.tool_name == PLAN
            and self._consent is Consent.AFTER_PLAN
        ):
            self._plan_approved = True
        return question

    def withdrawn(self, request_id: str) -> Question | None:
        """The agent no longer waits; the question, if it was open."""
        self._outbox.drop(_name(request_id))
        return self._open.pop(request_id, None)

    def refuse(self, request_id: str, error: str) -> None:
        """Queue that a request cannot be answered."""
        self._outbox.put(_name(request_id), wire.refuse(request_id, error))

    def nothing(self, request_id: str) -> None:
        """Queue an answer without content."""
        self._answer(request_id, {})

    def _allow(self, question: Question, answers: Mapping[str, Any] | None) -> dict[str, Any]:
        given: Any = question.given
        if question.tool_name == QUESTION and answers:
            asked = wire.anything(question.given)
            given = {**(asked if isinstance(asked, dict) else {}), "answers": dict(answers)}
        answer: dict[str, Any] = {"behavior": "allow", "updatedInput": given}
        if question.tool_name == PLAN and self._consent is Consent.AFTER_PLAN:
            answer["updatedPermissions"] = _EDITING
        return answer

    def _answer(self, request_id: str, answer: Mapping[str, Any]) -> None:
        self._outbox.put(_name(request_id), wire.reply_to(request_id, answer))


def _name(request_id: str) -> str:
    return f"response {request_id}"
