"""Requests of Claude Code: for permission, or for what is not supported, and their answers."""

from __future__ import annotations

from anyond.agents.claude import wire
from anyond.agents.claude.calls.tool_calls import ToolCalls
from anyond.agents.claude.calls.tools import Call
from anyond.agents.claude.questions import Questions
from anyond.agents.common.core import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Noise,
)
from anyond.agents.common.pending_events import PendingEvents


class ControlRequests:
    """The requests of one run, each answered by a person, at once, or by a refusal."""

    def __init__(self, events: PendingEvents, calls: ToolCalls, questions: Questions) -> None:
        self._events = events
        self._calls = calls
        self._questions = questions

    def receive(self, line: bytes) -> None:
        """Take in a request.

        Raises:
            ValueError: it has no id that could be answered.
        """
        request = wire.request(line)
        request_id = request.request_id
        try:
            subtype = wire.request_head(request.request).subtype
            if subtype == "can_use_tool":
                permission = wire.permission(request.request)
                tool_input = wire.anything(permission.input)
            elif subtype == "hook_callback":
                self._questions.nothing(request_id)
                return
            else:
                self._questions.refuse(request_id, f"This is not supported: {subtype}")
                return
        except (ValueError, RecursionError):
            # It waits for an answer, so that it could not be read must be told.
            self._questions.refuse(request_id, "The request could not be read.")
            self._events.emit(Noise(line.decode(errors="replace")))
            return
        name, call_id = permission.tool_name, permission.tool_use_id or request_id
        entry = self._calls.begin(call_id, name, tool_input, None)
        if entry is None:
            self._questions.refuse(request_id, "That use of a tool is over.")
            return
        if isinstance(entry, Call):
            entry.asked(tool_input)
            tool_input = entry.input
        self._events.put(entry)
        if self._questions.ask(request_id, entry, name, permission.input):
            self._events.emit(ApprovalAsked(request_id, name, tool_input, entry.key))

    def decide(self, command: Decide) -> None:
        """Queue a person's answer; one to an unknown or answered request is ignored."""
        self._questions.decide(command)

    def cancel(self, line: bytes) -> None:
        """The program takes a request back.

        Raises:
            ValueError: the line names none.
        """
        request_id = wire.request(line).request_id
        question = self._questions.withdrawn(request_id)
        if question is not None and not question.automatic:
            self._events.emit(ApprovalWithdrawn(request_id))

    def answered(self, request_id: str, answer: wire.Answer) -> None:
        """The log shows an answer that was sent to the program."""
        question = self._questions.answered(request_id, answer)
        if question is not None and not question.automatic:
            self._events.emit(ApprovalAnswered(request_id))
            if answer.behavior == "deny":
                self._events.put(question.entry)
