"""The messages of the streams as they are on the wire."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from anyond.model.drafts import Draft
from anyond.model.entries import NormalizedEntry
from anyond.model.rows import Diff, ExecutionProcess, TaskWithAttemptStatus


class Finished(Struct, frozen=True, kw_only=True):
    """The last message of a stream that has an end; the close code after it is 1000."""

    finished: Literal[True]


class TaskSnapshot(Struct, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """All tasks of the project; the first message, unless the stream goes on after a position."""

    data: list[TaskWithAttemptStatus]
    seq: int


class TaskCreated(Struct, frozen=True, kw_only=True, tag="task_created", tag_field="type"):
    data: TaskWithAttemptStatus
    seq: int


class TaskUpdated(Struct, frozen=True, kw_only=True, tag="task_updated", tag_field="type"):
    data: TaskWithAttemptStatus
    seq: int


class TaskDeleted(Struct, frozen=True, kw_only=True, tag="task_deleted", tag_field="type"):
    """`data` is how the task was last."""

    data: TaskWithAttemptStatus
    seq: int


class ProcessSnapshot(Struct, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """All processes of the attempt; the first message, unless the stream goes on."""

    data: list[ExecutionProcess]
    seq: int


class ProcessCreated(Struct, frozen=True, kw_only=True, tag="process_created", tag_field="type"):
    data: ExecutionProcess
    seq: int


class ProcessUpdated(Struct, frozen=True, kw_only=True, tag="process_updated", tag_field="type"):
    data: ExecutionProcess
    seq: int


class ProcessCompleted(
    Struct, frozen=True, kw_only=True, tag="process_completed", tag_field="type"
):
    """Sent once, when the process has reached a final status."""

    data: ExecutionProcess
    seq: int


class DraftSnapshot(Struct, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """All drafts that are kept in the project; the first message, unless the stream goes on."""

    data: list[Draft]
    seq: int


class DraftUpdated(Struct, frozen=True, kw_only=True, tag="draft_updated", tag_field="type"):
    data: Draft
    seq: int


class LogChunk(Struct, frozen=True, kw_only=True):
    """A piece of output; whole lines where that is possible."""

    type: Literal["stdout", "stderr"]
    content: str


class LogOperation(Struct, frozen=True, kw_only=True):
    """One operation of a JSON Patch (RFC 6902) on the list of all pieces of output."""

    op: Literal["add"]
    path: str
    value: LogChunk
    seq: int


class IndexedEntry(NormalizedEntry, frozen=True, kw_only=True):
    """An entry of the conversation; it replaces an earlier one of the same `index`."""

    index: int
    seq: int


class DiffFound(Struct, frozen=True, kw_only=True, tag="diff", tag_field="type"):
    """The present difference of a file; it replaces any earlier one of that path."""

    data: Diff
    seq: int


class Path(Struct, frozen=True, kw_only=True):
    path: str


class DiffRemoved(Struct, frozen=True, kw_only=True, tag="diff_removed", tag_field="type"):
    """A file that differs no longer."""

    data: Path
    seq: int


class DiffReady(Struct, frozen=True, kw_only=True, tag="ready", tag_field="type"):
    """All that differs has been told; changes follow."""

    seq: int


class DiffResync(Struct, frozen=True, kw_only=True, tag="resync", tag_field="type"):
    """Everything is told anew: forget what was said before."""

    seq: int


class EventsLost(Struct, frozen=True, kw_only=True):
    """`data` of the event `resync`: the position is not held any more; read the records again.

    Args:
        oldest: from where on events are held.
        end: after which position the stream goes on.
    """

    oldest: int
    end: int
