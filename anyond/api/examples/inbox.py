"""Examples of the chapter Inbox."""

from __future__ import annotations

from anyond.api import inbox
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http import frames
from anyond.model.http.inbox import InboxItem, InboxKind

_ITEM = InboxItem(
    kind=InboxKind.QUESTION,
    since=things.APPROVAL.created_at,
    attempt=things.SUMMARY,
    approval=things.APPROVAL,
)

EXAMPLES: Examples = {
    inbox.LIST_INBOX: Example(answer=[_ITEM]),
    inbox.STREAM_INBOX: Example(frames=(frames.InboxSnapshot(data=[_ITEM], seq=41),)),
}
