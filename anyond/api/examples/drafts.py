"""Examples of the chapter Drafts."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.api import drafts
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.drafts import DraftPatch, QueueWish
from anyond.model.http import frames

EXAMPLES: Examples = {
    drafts.GET_DRAFT: Example(answer=things.DRAFT),
    drafts.SAVE_DRAFT: Example(
        send=DraftPatch(prompt="Mention the price.", version=0), answer=things.DRAFT
    ),
    drafts.QUEUE_DRAFT_FOR_AUTO_SEND: Example(
        send=QueueWish(queued=True), answer=replace(things.DRAFT, queued=True, version=2)
    ),
    drafts.STREAM_DRAFTS: Example(
        frames=(
            frames.DraftSnapshot(data=[], seq=47),
            frames.DraftUpdated(data=things.DRAFT, seq=48),
        )
    ),
}
