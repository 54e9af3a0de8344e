"""The frames of all streams, which encoders write and clients read.

A frame of the plain wire format is the encoded struct. A record that is encoded already goes
into its frame as `msgspec.Raw`, so that nothing is encoded twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from anyond.model.drafts import Draft
from anyond.model.entries import NormalizedEntry
from anyond.model.http.board import BoardTask
from anyond.model.http.inbox import InboxItem
from anyond.model.rows import (
    Approval,
    Diff,
    ExecutionProcess,
    PullRequestMerge,
    TaskAttempt,
    TaskWithAttemptStatus,
)

T = TypeVar("T")


class Finished(Struct, frozen=True, kw_only=True):
    """The last message of a stream that has an end; the close code after it is 1000."""

    finished: Literal[True]


FINISHED = msgspec.json.encode(Finished(finished=True))
"""The bytes of that message."""


class SnapshotFrame(
    Struct, Generic[T], frozen=True, kw_only=True, tag="snapshot", tag_field="type"
):
    """All records as they were at position `seq`."""

    data: T
    seq: int


class ChangeFrame(Struct, Generic[T], frozen=True, kw_only=True, tag_field="type"):
    """A change of one record.

    Attributes:
        change: the kind of the change that it tells of, where that is not `type`.
    """

    change: ClassVar[str | None] = None

    data: T
    seq: int


class TaskSnapshot(SnapshotFrame[list[TaskWithAttemptStatus]], frozen=True, kw_only=True):
    """All tasks of the project; the first message, unless the stream goes on after a position."""


class TaskCreated(
    ChangeFrame[TaskWithAttemptStatus], frozen=True, kw_only=True, tag="task_created"
):
    pass


class TaskUpdated(
    ChangeFrame[TaskWithAttemptStatus], frozen=True, kw_only=True, tag="task_updated"
):
    pass


class TaskDeleted(
    ChangeFrame[TaskWithAttemptStatus], frozen=True, kw_only=True, tag="task_deleted"
):
    """`data` is how the task was last."""


class BoardSnapshot(SnapshotFrame[list[BoardTask]], frozen=True, kw_only=True):
    """All tasks; the first message, unless the stream goes on after a position."""


class BoardTaskUpdated(ChangeFrame[BoardTask], frozen=True, kw_only=True, tag="board_task_updated"):
    """A task as it is now; one that was not there before is new."""


class InboxSnapshot(SnapshotFrame[list[InboxItem]], frozen=True, kw_only=True):
    """All that waits for a person; it replaces what was told before."""


class ProcessSnapshot(SnapshotFrame[list[ExecutionProcess]], frozen=True, kw_only=True):
    """All processes of the attempt; the first message, unless the stream goes on."""


class ProcessCreated(
    ChangeFrame[ExecutionProcess], frozen=True, kw_only=True, tag="process_created"
):
    change: ClassVar[str | None] = "process_started"


class ProcessUpdated(
    ChangeFrame[ExecutionProcess], frozen=True, kw_only=True, tag="process_updated"
):
    pass


class ProcessCompleted(
    ChangeFrame[ExecutionProcess], frozen=True, kw_only=True, tag="process_completed"
):
    """Sent once, when the process has reached a final status."""


class DraftSnapshot(SnapshotFrame[list[Draft]], frozen=True, kw_only=True):
    """All drafts that are kept in the project; the first message, unless the stream goes on."""


class DraftUpdated(ChangeFrame[Draft], frozen=True, kw_only=True, tag="draft_updated"):
    pass


class AttemptCreated(ChangeFrame[TaskAttempt], frozen=True, kw_only=True, tag="attempt_created"):
    pass


class AttemptUpdated(ChangeFrame[TaskAttempt], frozen=True, kw_only=True, tag="attempt_updated"):
    pass


class ProcessStarted(
    ChangeFrame[ExecutionProcess], frozen=True, kw_only=True, tag="process_started"
):
    pass


class PrStatusChanged(
    ChangeFrame[PullRequestMerge], frozen=True, kw_only=True, tag="pr_status_changed"
):
    pass


class ApprovalRequested(ChangeFrame[Approval], frozen=True, kw_only=True, tag="approval_requested"):
    pass


class ApprovalResolved(ChangeFrame[Approval], frozen=True, kw_only=True, tag="approval_resolved"):
    pass


def by_change(frames: Iterable[type[Struct]]) -> dict[str, type[ChangeFrame[Any]]]:
    """The frames of records that change, by the kind of the change."""
    found = [frame for frame in frames if issubclass(frame, ChangeFrame)]
    return {frame.change or str(frame.__struct_config__.tag): frame for frame in found}


class LogChunk(Struct, frozen=True, kw_only=True, gc=False):
    """A piece of output; whole lines where that is possible."""

    type: Literal["stdout", "stderr"]
    content: str


class LogOperation(Struct, frozen=True, kw_only=True, gc=False):
    """One operation of a JSON Patch (RFC 6902) on the list of all pieces of output."""

    op: Literal["add"]
    path: str
    value: LogChunk
    seq: int


class IndexedEntry(NormalizedEntry, frozen=True, kw_only=True):
    """An entry of the conversation; it replaces an earlier one of the same `index`."""

    index: int
    seq: int


_ADDED = IndexedEntry.__struct_fields__[len(NormalizedEntry.__struct_fields__) :]
_INDEX, _SEQ = _ADDED
_TAIL = b',"%s":%%d,"%s":%%d}' % (_INDEX.encode(), _SEQ.encode())


class EntryFrame(Struct, frozen=True):
    """An `IndexedEntry` whose entry is encoded already, as conversations and archives hold it."""

    seq: int
    index: int
    entry: bytes

    def text(self) -> bytes:
        """The `IndexedEntry` as JSON; what is encoded is not encoded again, there is much of it."""
        return self.entry[:-1] + _TAIL % (self.index, self.seq)


class DiffFound(Struct, frozen=True, kw_only=True, tag="diff", tag_field="type"):
    """The present difference of a file; it replaces any earlier one of that path."""

    data: Diff
    seq: int

    @property
    def path(self) -> str:
        """The name that the file is known by."""
        return self.data.path


class DiffRemovedPath(Struct, frozen=True, kw_only=True):
    path: str


class DiffRemoved(Struct, frozen=True, kw_only=True, tag="diff_removed", tag_field="type"):
    """A file that differs no longer."""

    data: DiffRemovedPath
    seq: int

    @property
    def path(self) -> str:
        """The name that the file was known by."""
        return self.data.path


class DiffReady(Struct, frozen=True, kw_only=True, tag="ready", tag_field="type"):
    """All that differs has been told; changes follow."""

    seq: int


class DiffResync(Struct, frozen=True, kw_only=True, tag="resync", tag_field="type"):
    """Everything is told anew: forget what was said before."""

    seq: int


FileFrame = DiffFound | DiffRemoved
DiffFrame = FileFrame | DiffReady | DiffResync


class EventsLost(Struct, frozen=True, kw_only=True):
    """`data` of the event `resync`: the position is not held any more; read the records again.

    Args:
        oldest: from where on events are held.
        end: after which position the stream goes on.
    """

    oldest: int
    end: int


class EventsBegin(Struct, frozen=True, kw_only=True, tag="begin", tag_field="type"):
    """Records that are read from now on have all that was before; what comes after follows.

    It comes again where a position is held no longer: read the records again.
    """

    seq: int
