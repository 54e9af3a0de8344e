"""The conversation of an attempt: the entries of all its runs, one after the other."""

from __future__ import annotations

from msgspec import Struct

from anyond.model.entries import NormalizedEntry
from anyond.model.rows import ProcessStatus, RunReason


class ConversationRun(Struct, frozen=True, kw_only=True):
    """One run in a conversation.

    Args:
        start: the position of its first entry.
        count: how many entries it has by now.
    """

    execution_process_id: str
    run_reason: RunReason
    status: ProcessStatus
    started_at: str
    start: int
    count: int


class ConversationEntry(Struct, frozen=True, kw_only=True):
    """One entry of a conversation.

    Args:
        position: counts from 0 through all runs.
        index, seq: as the stream of the run's structured log has them: it goes on after the
            greatest `seq` of a run.
    """

    position: int
    execution_process_id: str
    index: int
    seq: int
    entry: NormalizedEntry


class ConversationPage(Struct, frozen=True, kw_only=True):
    """A part of a conversation, in its order.

    Args:
        total: how many entries the whole conversation has by now.
        before: sent along, it gives the part before this one; None if there is none.
        runs: all runs but dev servers and those that were replaced, the oldest first.
    """

    entries: list[ConversationEntry]
    total: int
    before: int | None
    runs: list[ConversationRun]
