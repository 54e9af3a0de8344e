"""The drafts of a project as a map that has a slot for every attempt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from anyond.http.streaming.encoders import Record, Snapshot
from anyond.http.vk.frames import Add, Operation, Remove, Replace, frame
from anyond.model.drafts import Draft, DraftType
from anyond.model.rows import Change, TaskAttempt
from anyond.store.board import attempts, drafts

if TYPE_CHECKING:
    from anyond.store.engine.transaction import Reader

KINDS = frozenset({"draft_updated", "attempt_created", "attempt_deleted", "task_deleted"})
"""The changes that this stream is made of."""


class Place(Struct, frozen=True):
    """The drafts of one attempt; a retry only if there is one."""

    id: str
    task_id: str
    follow_up: Draft
    retry: Draft | None


class _Drafts(Struct):
    follow_up: Raw | Draft
    retry: Raw | None


class _Slot(Struct):
    id: str
    task_id: str
    follow_up: Raw
    retry: Raw


_decode_slots = msgspec.json.Decoder(list[_Slot])
_attempt = msgspec.json.Decoder(TaskAttempt)
_draft = msgspec.json.Decoder(Draft)


def everything(reader: Reader, project_id: str) -> list[Place]:
    """A slot for every attempt of the project."""
    stored = {(d.task_attempt_id, d.draft_type): d for d in drafts.of_project(reader, project_id)}
    return [
        Place(
            id=attempt.id,
            task_id=attempt.task_id,
            follow_up=stored.get((attempt.id, DraftType.FOLLOW_UP)) or _blank(attempt),
            retry=stored.get((attempt.id, DraftType.RETRY)),
        )
        for attempt in attempts.of_project(reader, project_id)
    ]


class Drafts:
    """A snapshot of all slots, then one frame for each change.

    Each is a frame of its own, since a draft that is sent is shown twice: being sent, and empty.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, str] = {}

    def encode(self, items: Sequence[Record]) -> Iterator[bytes]:
        for item in items:
            if isinstance(item, Snapshot):
                operations: Sequence[Operation] = [self._snapshot(_decode_slots.decode(item.rows))]
            else:
                operations = tuple(self._operations(item))
            if operations:
                yield frame(operations)

    def end(self) -> Iterable[bytes]:
        return ()

    def _snapshot(self, slots: list[_Slot]) -> Operation:
        self._tasks = {slot.id: slot.task_id for slot in slots}
        return Replace("/drafts", {p.id: _Drafts(p.follow_up, p.retry) for p in slots})

    def _operations(self, change: Change) -> Iterator[Operation]:
        match change.kind:
            case "attempt_created":
                attempt = _attempt.decode(change.data)
                if attempt.id not in self._tasks:  # else it is in the snapshot, with its drafts
                    self._tasks[attempt.id] = attempt.task_id
                    yield _new(attempt)
            case "attempt_deleted":
                self._tasks.pop(change.key or "", None)
                yield Remove(f"/drafts/{change.key}")
            case "task_deleted":
                gone = [id for id, task_id in self._tasks.items() if task_id == change.key]
                for id in gone:
                    del self._tasks[id]
                    yield Remove(f"/drafts/{id}")
            case _:
                draft = _draft.decode(change.data)
                path = f"/drafts/{draft.task_attempt_id}/{draft.draft_type}"
                none = draft.draft_type is DraftType.RETRY and draft.version == 0
                yield Replace(path, None if none else Raw(change.data))


def _new(attempt: TaskAttempt) -> Operation:
    return Add(f"/drafts/{attempt.id}", _Drafts(_blank(attempt), None))


def _blank(attempt: TaskAttempt) -> Draft:
    return drafts.blank(attempt, DraftType.FOLLOW_UP)
