"""The inbox: what waits for a person, over all projects."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from anyond.model.drafts import Draft
from anyond.model.http.summaries import AttemptSummary
from anyond.model.rows import Approval


class InboxKind(StrEnum):
    """The reason why something waits.

    `question`: an agent asks. `failed`: the last run ended without success, or was lost.
    `conflict`: a rebase has stopped. `finished`: the last run ended well, and nobody has looked.
    `draft`: a message was begun, and neither sent nor queued.
    """

    QUESTION = "question"
    FAILED = "failed"
    CONFLICT = "conflict"
    FINISHED = "finished"
    DRAFT = "draft"


class InboxItem(Struct, frozen=True, kw_only=True):
    """One thing that waits for a person; an attempt can have several.

    Args:
        since: when it began to wait.
        approval: of a question.
        draft: of a draft.
    """

    kind: InboxKind
    since: str
    attempt: AttemptSummary
    approval: Approval | None = None
    draft: Draft | None = None
