"""Messages that a person is still writing, or has queued for the next turn of an agent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from anyond.model.fields import Id, LineOrEmpty, Prose

Version = Annotated[int, Meta(ge=0)]


class DraftType(StrEnum):
    FOLLOW_UP = "follow_up"
    RETRY = "retry"


class Draft(Struct, frozen=True, kw_only=True):
    """One message. What was never written, was sent or was deleted is shown as an empty one.

    Args:
        retry_process_id: what a retry starts again from; None in follow-ups.
        queued: whether it is sent as soon as the agent is free.
        sending: whether it is being sent at this moment.
        version: grows with every change; 0 if nothing is kept.
    """

    id: str
    task_attempt_id: str
    draft_type: DraftType
    retry_process_id: str | None = None
    prompt: str = ""
    queued: bool = False
    sending: bool = False
    variant: str | None = None
    image_ids: list[str] = []
    version: int = 0
    created_at: str
    updated_at: str

    def being_sent(self) -> Draft:
        """The same, at the moment when it becomes a message to the agent."""
        return replace(self, queued=True, sending=True)


class DraftPatch(Struct, frozen=True, kw_only=True):
    """Body of a draft's update: what is absent is kept, null clears.

    Args:
        version: the version that the client has seen; None if it does not care.
    """

    prompt: Prose | UnsetType | None = UNSET
    variant: LineOrEmpty | UnsetType | None = UNSET
    image_ids: list[Id] | UnsetType | None = UNSET
    retry_process_id: Id | UnsetType | None = UNSET
    version: Version | None = None


class QueueWish(Struct, frozen=True, kw_only=True):
    """Body of a queueing, which may be left out.

    Args:
        queued: false takes the draft back; None is as true.
        expected_queued, expected_version: what the client has seen; None if it does not care.
    """

    queued: bool | None = None
    expected_queued: bool | None = None
    expected_version: Version | None = None
