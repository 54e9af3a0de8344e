"""The approval requests of a run, and what they make of the entries that they are about."""

from __future__ import annotations

from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from anyond.agents.common.core import Decision
from anyond.logs import notes
from anyond.logs.bounds import ASKED_MOST, OPEN_MOST, displayed_input
from anyond.model.entries import (
    Denied,
    NormalizedEntry,
    PendingApproval,
    StatusTimedOut,
    ToolStatus,
    ToolUse,
)
from anyond.model.ids import derived_id, timestamp_ns

WITHDRAWN = "It was withdrawn before anybody had decided."
"""Why a question is closed that nobody has answered: the agent went on without, or was stopped."""


class Question(Struct, frozen=True):
    """Something the agent waits for.

    Args:
        approval_id: derived from the process and the call, so that a replay finds it again.
        asked_at: Unix nanoseconds.
        timeout_at: Unix nanoseconds.
    """

    approval_id: str
    call: str
    tool_name: str
    tool_input: Any
    entry_key: str
    asked_at: int
    timeout_at: int


class Questions:
    """The questions of one run by their calls, and the statuses that they give to entries.

    Whoever changes something here is told the key of the entry that looks different now.

    Args:
        process_id: names the approvals.
        timeout_ns: how long a question stays open.
    """

    def __init__(self, process_id: str, timeout_ns: int) -> None:
        self._process_id = process_id
        self._timeout_ns = timeout_ns
        self._asked: dict[str, Question] = {}
        self._open: dict[str, Question] = {}
        self._excess: dict[str, None] = {}
        self._statuses: dict[str, ToolStatus] = {}

    @property
    def open(self) -> list[Question]:
        """The questions whose decision the agent waits for, in the order of asking."""
        return list(self._open.values())

    def is_excess(self, call: str) -> bool:
        """Return whether a question would be one too many."""
        if call in self._asked:
            return False
        return len(self._open) >= OPEN_MOST or len(self._asked) >= ASKED_MOST

    def add_excess(self, call: str) -> None:
        """Take in a question that is one too many."""
        self._excess[call] = None

    def take_excess(self, most: int) -> list[str]:
        """Some questions that are too many, each once: to be refused, and asked of nobody."""
        calls = list(islice(self._excess, most))
        for call in calls:
            del self._excess[call]
        return calls

    def ask(self, call: str, tool_name: str, tool_input: Any, entry_key: str, at: int) -> None:
        """Open a question about the entry `entry_key`; `at` is in Unix nanoseconds."""
        question = Question(
            derived_id(self._process_id, call),
            call,
            tool_name,
            displayed_input(tool_input),
            entry_key,
            at,
            at + self._timeout_ns,
        )
        self._asked[call] = self._open[call] = question
        self._statuses[entry_key] = PendingApproval(
            approval_id=question.approval_id,
            requested_at=timestamp_ns(question.asked_at),
            timeout_at=timestamp_ns(question.timeout_at),
        )

    def answered(self, call: str) -> str | None:
        """Take in that the agent has been answered."""
        self._excess.pop(call, None)
        self._open.pop(call, None)
        asked = self._asked.get(call)
        if asked is None or not isinstance(self._statuses.get(asked.entry_key), PendingApproval):
            return None
        self._statuses.pop(asked.entry_key)
        return asked.entry_key

    def withdrawn(self, call: str) -> str | None:
        """Take in that the agent waits no longer."""
        self._excess.pop(call, None)
        withdrawn = self._open.pop(call, None)
        if withdrawn is None:
            return None
        self._statuses[withdrawn.entry_key] = Denied(reason=WITHDRAWN)
        return withdrawn.entry_key

    def decide(self, note: notes.Decided) -> Question | None:
        """Take in a decision. Returns what was decided on; None if it was never asked."""
        asked = self._asked.get(note.call)
        if asked is None:
            return None
        if note.decision is Decision.APPROVED:
            self._statuses.pop(asked.entry_key, None)
        elif note.decision is Decision.DENIED:
            self._statuses[asked.entry_key] = Denied(reason=note.reason)
        else:
            self._statuses[asked.entry_key] = StatusTimedOut()
        return asked

    def close(self) -> list[str]:
        """Deny what is open, since the process has ended."""
        keys = [question.entry_key for question in self._open.values()]
        self._statuses.update((key, Denied(reason="The process ended.")) for key in keys)
        self._open.clear()
        return keys

    def status(self, entry_key: str) -> ToolStatus | None:
        """The status that a question has given to an entry."""
        return self._statuses.get(entry_key)

    def with_status(self, entry_key: str, entry: NormalizedEntry) -> NormalizedEntry:
        """`entry` with the status that a question has given to it, if one has."""
        status, tool = self._statuses.get(entry_key), entry.entry_type
        if status is None or not isinstance(tool, ToolUse):
            return entry
        return replace(entry, entry_type=replace(tool, status=status))
