"""Refusals to change or send a draft; each carries the draft as it is."""

from __future__ import annotations

from anyond.model.drafts import Draft
from anyond.model.errors import Conflict


class StaleDraft(Conflict, type="stale_draft"):
    """It has changed meanwhile; `draft` is how it is."""

    draft: Draft

    def __init__(self, draft: Draft) -> None:
        super().__init__("The draft has changed meanwhile; read it again.")
        self.draft = draft


class DraftQueued(Conflict, type="draft_queued"):
    """It is queued; take it back to change it."""

    draft: Draft

    def __init__(self, draft: Draft) -> None:
        super().__init__("The draft is queued; take it back to change it.")
        self.draft = draft


class EmptyDraft(Conflict, type="empty_draft"):
    """It is blank: there is nothing to send."""

    draft: Draft

    def __init__(self, draft: Draft) -> None:
        super().__init__("The draft is blank: there is nothing to send.")
        self.draft = draft
