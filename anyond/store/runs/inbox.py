"""The inbox, from the rows of approvals, processes, intents, drafts and what was seen."""

from __future__ import annotations

from collections.abc import Iterator

from anyond.model.http.inbox import InboxItem, InboxKind
from anyond.model.http.summaries import AttemptState, AttemptSummary
from anyond.store.board import drafts
from anyond.store.engine.transaction import Reader
from anyond.store.runs import approvals, intents, summaries

# Each of these is found in an index that holds such rows only: the inbox costs what is in it.
_WAITING = """a.id IN (
    SELECT task_attempt_id FROM approvals WHERE status = 'pending'
    UNION SELECT task_attempt_id FROM seen_positions WHERE moved > seen
    UNION SELECT task_attempt_id FROM execution_processes WHERE status = 'failed' AND dropped = 0
    UNION SELECT attempt_id FROM intents WHERE waits
    UNION SELECT task_attempt_id FROM drafts WHERE state = 'edited')"""
_ASKS = "a.id IN (SELECT task_attempt_id FROM approvals WHERE status = 'pending')"

KINDS = frozenset(
    {
        "approval_requested",
        "approval_resolved",
        "attempt_deleted",
        "attempt_updated",
        "draft_updated",
        "intent_ended",
        "intent_waits",
        "placement_updated",
        "process_completed",
        "process_started",
        "process_updated",
        "seen_updated",
        "task_deleted",
        "task_updated",
    }
)
"""The changes after which the inbox can be another one."""

_ORDER = {kind: number for number, kind in enumerate(InboxKind)}


def fetch_all(reader: Reader, project_id: str | None = None) -> list[InboxItem]:
    """All that waits: questions first, and of each kind what waits longest.

    Args:
        project_id: only that of this project.
    """
    # Who asks is at work, and waits also where its task is over or was put away.
    condition, given = f"{_WAITING} AND ({summaries.OPEN} OR {_ASKS})", list[object]()
    if project_id is not None:
        condition = f"{condition} AND t.project_id = ?"
        given.append(project_id)
    waiting = {one.id: one for one in summaries.fetch_where(reader, condition, given)}
    items = [*_questions(reader, waiting), *_others(reader, waiting)]
    return sorted(items, key=lambda item: (_ORDER[item.kind], item.since))


def _questions(reader: Reader, waiting: dict[str, AttemptSummary]) -> Iterator[InboxItem]:
    for approval in approvals.pending(reader):
        attempt = waiting.get(approval.task_attempt_id)
        if attempt is not None:
            yield InboxItem(
                kind=InboxKind.QUESTION,
                since=approval.created_at,
                attempt=attempt,
                approval=approval,
            )


def _others(reader: Reader, waiting: dict[str, AttemptSummary]) -> Iterator[InboxItem]:
    stopped = {intent.attempt_id: intent for intent in intents.fetch_waiting(reader)}
    for attempt in waiting.values():
        if attempt.id in stopped:
            since = stopped[attempt.id].created_at
            yield InboxItem(kind=InboxKind.CONFLICT, since=since, attempt=attempt)
        if attempt.state is AttemptState.FAILED:
            yield InboxItem(kind=InboxKind.FAILED, since=attempt.since, attempt=attempt)
        if attempt.state is AttemptState.FINISHED and attempt.unseen:
            yield InboxItem(kind=InboxKind.FINISHED, since=attempt.since, attempt=attempt)
    for draft in drafts.fetch_written(reader):
        if (owner := waiting.get(draft.task_attempt_id)) is not None:
            yield InboxItem(
                kind=InboxKind.DRAFT, since=draft.updated_at, attempt=owner, draft=draft
            )
